/** Handlers that misbehave: they harm themselves, not their node, and not the cluster. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AddJobInput } from "../../src/client/job-json.ts";
import { OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import { until } from "../fixtures/until.ts";
import { type FaultCluster, startFaultCluster } from "./fault-cluster.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();
const MAX_LOST = 3;
const { FAILED } = STORED_STATUS;

describe(`handlers that misbehave (seed ${seed})`, { timeout: 90_000 }, () => {
  let cluster: FaultCluster;
  beforeAll(async () => {
    cluster = await startFaultCluster({ env: { MAX_LOST: `${MAX_LOST}` } });
  });
  afterEach(() => cluster.revive());
  afterAll(() => cluster?.stop());

  async function endOf(job: AddJobInput): Promise<{ status: number | undefined; outcomes: number[] }> {
    const { jobId } = await cluster.client(cluster.nodes.find(({ isUp }) => isUp)).addJob(job);
    const id = Number(jobId);
    await until(
      "it has ended",
      async () => (await cluster.evidence([])).jobs.some((one) => one.id === id && one.status > 4),
      30_000,
    );
    const { jobs, results } = await cluster.evidence([]);
    return {
      status: jobs.find((one) => one.id === id)?.status,
      outcomes: results.filter((row) => row.jobId === id && !row.late).map(({ outcome }) => outcome),
    };
  }

  test("one that ignores its abort times out, and its thread is replaced", async () => {
    await underLoad(cluster, { seed }, async () => {
      const job = {
        name: "stubborn",
        handler: "stubborn",
        payload: { ms: 20_000 },
        timeout: "0.5s",
        retry: { maxAttempts: 1 },
      } as const;
      expect(await endOf(job)).toEqual({ status: FAILED, outcomes: [OUTCOME.TIMED_OUT] });
    });
  });

  test("one that never lets go of its thread times out; heartbeats and other jobs notice nothing", async () => {
    await underLoad(cluster, { seed }, async () => {
      const epoch = (await cluster.mastership()).epoch;
      const job = { name: "spin", handler: "spin", timeout: "1s", retry: { maxAttempts: 1 } } as const;
      expect(await endOf(job)).toEqual({ status: FAILED, outcomes: [OUTCOME.TIMED_OUT] });
      expect((await cluster.mastership()).epoch).toBe(epoch);
      for (const node of cluster.nodes) expect(node.logged("no word from a master")).toEqual([]);
    });
  });

  test("one that kills its process is FAILED after MAX_LOST, and the cluster goes on", async () => {
    // As a supervisor would: whatever dies comes back.
    const supervised = new AbortController();
    const supervisor = (async () => {
      while (!supervised.signal.aborted) {
        for (const node of cluster.nodes) {
          if (node.process.isAlive() || supervised.signal.aborted) continue;
          await node.restart();
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      await underLoad(cluster, { seed, jobsPerSecond: 20 }, async () => {
        const outcomes = Array.from({ length: MAX_LOST }, () => OUTCOME.LOST);
        expect(await endOf({ name: "crash", handler: "crash" })).toEqual({ status: FAILED, outcomes });
      });
    } finally {
      supervised.abort();
      await supervisor;
    }
  });
});
