/** Processes that die: nothing is lost, nothing starts twice, and what ran there starts again soon. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../fixtures/until.ts";
import { type FaultCluster, startFaultCluster } from "./fault-cluster.ts";
import { startLongJobs } from "./long-jobs.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();

describe(`processes that die (seed ${seed})`, { timeout: 60_000 }, () => {
  let cluster: FaultCluster;
  beforeAll(async () => {
    cluster = await startFaultCluster();
  });
  afterEach(() => cluster.revive());
  afterAll(() => cluster?.stop());

  test("kill -9 of the master", async () => {
    await underLoad(cluster, { seed }, async () => (await cluster.master()).kill());
  });

  test("kill -9 of a node: what it ran starts elsewhere within 2 s", async () => {
    await underLoad(cluster, { seed }, async () => {
      const long = await startLongJobs(cluster, 6, 2500);
      const { node: victim, starts: lost } = await long.victim();
      const killedAt = Date.now();
      await victim.kill();
      const again = () =>
        long.seen("start").filter((one) => one.claim === 2 && lost.some((l) => l.jobId === one.jobId));
      await until("they run again", () => again().length === lost.length);
      expect(Math.max(killedAt, ...again().map(({ at }) => at)) - killedAt).toBeLessThan(2000);
    });
  });

  test("kill -9 of the master and of a node at once", async () => {
    await underLoad(cluster, { seed }, async () => {
      const master = await cluster.master();
      const [node] = cluster.others(master);
      await Promise.all([master.kill(), node?.kill()]);
    });
  });
});
