/** Processes that stand still and come back, and two masters at once: whatever they believe, the database decides. */

import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2/promise";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { OUTCOME } from "../../src/core/job.ts";
import { until } from "../fixtures/until.ts";
import { adminRedisUrl, freshPrefix } from "../servers/shared.ts";
import { type FaultCluster, LEASE_MS, startFaultCluster, TTL_MS } from "./fault-cluster.ts";
import { startLongJobs } from "./long-jobs.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();
/** Of a mastership's clock, which is an estimate of the database's. */
const CLOCK_ERROR_MS = 100;

describe(`processes that freeze (seed ${seed})`, { timeout: 60_000 }, () => {
  const prefix = freshPrefix();
  let cluster: FaultCluster;
  beforeAll(async () => {
    cluster = await startFaultCluster({ prefix, proxied: true });
  });
  afterEach(async () => {
    for (const node of cluster.nodes) {
      node.process.signal("SIGCONT");
      await node.proxies?.mysql.heal();
    }
    await cluster.revive();
  });
  afterAll(() => cluster?.stop());

  /** Rows that carry an epoch after the next one had begun. An epoch is the database's clock at its election. */
  async function writtenUnder(epoch: number, next: number): Promise<number> {
    const since = next + CLOCK_ERROR_MS;
    const [[jobs]] = await cluster.database.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS count FROM jobinfo WHERE epoch = ? AND create_time > ?",
      [epoch, since],
    );
    const [[rows]] = await cluster.database.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS count FROM jobresult WHERE epoch = ? AND end_time > ?",
      [epoch, since],
    );
    return Number(jobs?.["count"]) + Number(rows?.["count"]);
  }

  async function nextEpoch(epoch: number): Promise<number> {
    await until("another epoch has begun", async () => (await cluster.mastership()).epoch > epoch, 15_000);
    return (await cluster.mastership()).epoch;
  }

  test("a master that stood still for 3 TTL finds itself deposed, and writes nothing", async () => {
    await underLoad(cluster, { seed }, async () => {
      const master = await cluster.master();
      const { epoch } = await cluster.mastership();
      const before = master.logged("no longer master").length;
      master.process.signal("SIGSTOP");
      const next = await nextEpoch(epoch);
      await sleep(3 * TTL_MS);
      master.process.signal("SIGCONT");
      await until(
        "it says that it is deposed",
        () => master.logged("no longer master").length > before,
        5_000,
      );
      await until("it follows the new one", async () => (await cluster.mastership()).epoch === next);
      expect(await writtenUnder(epoch, next)).toBe(0);
    });
  });

  test("two masters at once: only the newer one's writes count", async () => {
    const redis = createClient({ url: adminRedisUrl() });
    await redis.connect();
    try {
      await underLoad(cluster, { seed, jobsPerSecond: 150 }, async () => {
        for (let round = 0; round < 3; round++) {
          const master = await cluster.master();
          const { epoch } = await cluster.mastership();
          master.process.signal("SIGSTOP");
          await redis.del(`${prefix}cluster`);
          const next = await nextEpoch(epoch);
          // It still trusts its lock, which it renewed a moment ago.
          master.process.signal("SIGCONT");
          await sleep(TTL_MS);
          expect(await writtenUnder(epoch, next)).toBe(0);
        }
      });
    } finally {
      redis.destroy();
    }
  });

  test("a node that stood still beyond its lease: its jobs are LOST, and run elsewhere", async () => {
    await underLoad(cluster, { seed }, async () => {
      const long = await startLongJobs(cluster, 9, 2000);
      const { node, starts } = await long.victim();
      const jobs = new Set(starts.map(({ jobId }) => jobId));
      node.process.signal("SIGSTOP");
      const lost = async () =>
        (await cluster.evidence([])).results.filter(
          (row) => jobs.has(row.jobId) && row.outcome === OUTCOME.LOST && !row.late,
        ).length;
      await until("its claims are LOST", async () => (await lost()) === jobs.size, LEASE_MS * 3);
      node.process.signal("SIGCONT");
      const thawedAt = Date.now();
      await until(
        "the jobs have run elsewhere",
        () =>
          cluster.effects().filter((one) => one.event === "end" && one.claim > 1 && jobs.has(one.jobId))
            .length === jobs.size,
        15_000,
      );
      await until("the node is back", () =>
        cluster.effects().some((one) => one.node === node.name && one.event === "start" && one.at > thawedAt),
      );
    });
  });

  test("a stale assignment left in a socket buffer does not start", async () => {
    await underLoad(cluster, { seed }, async () => {
      const master = await cluster.master();
      const [node] = cluster.others(master);
      if (node === undefined) throw new Error("no node");
      node.process.signal("SIGSTOP");
      // The load goes on, and the master, which knows nothing yet, sends it jobs.
      const isLost = async () =>
        (await cluster.evidence([])).results.filter((row) => row.outcome === OUTCOME.LOST && !row.late);
      await until("what it was sent is LOST", async () => (await isLost()).length > 0, LEASE_MS * 3);
      const lost = new Set((await isLost()).map(({ jobId, claim }) => `${jobId}/${claim}`));
      const thawedAt = Date.now();
      node.process.signal("SIGCONT");
      const startedSince = () =>
        cluster
          .effects()
          .filter((one) => one.node === node.name && one.event === "start" && one.at > thawedAt);
      await until("it works again", () =>
        startedSince().some(({ jobId, claim }) => !lost.has(`${jobId}/${claim}`)),
      );
      expect(startedSince().filter(({ jobId, claim }) => lost.has(`${jobId}/${claim}`))).toEqual([]);
    });
  });

  test.each([
    // By what is in them: the texts of the statements were sent when they were prepared.
    ["jobs", "load "],
    ["results", "least-loaded"],
  ])("a master frozen in the middle of writing %s holds nobody up", async (_, content) => {
    await underLoad(cluster, { seed }, async () => {
      const master = await cluster.master();
      const { epoch } = await cluster.mastership();
      const proxy = master.proxies?.mysql;
      if (proxy === undefined) throw new Error("no proxy");
      const before = proxy.strikes;
      proxy.halve(content);
      await until("it is in the middle of a write", () => proxy.strikes > before);
      master.process.signal("SIGSTOP");
      await nextEpoch(epoch);
      const done = cluster.effects().length;
      await until("jobs run under the next one", () => cluster.effects().length > done + 40);
      await proxy.heal();
      master.process.signal("SIGCONT");
    });
  });
});
