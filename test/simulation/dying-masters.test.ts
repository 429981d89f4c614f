import { expect, test } from "vitest";
import { OUTCOME } from "../../src/core/job.ts";
import { USUAL_PACE } from "../../src/testing/simulated-node.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

const { leaseMs, lockTtlMs } = USUAL_PACE;
/** Machines go without a word: nobody refuses, so each master's lock has to run out. */
const SILENTLY = true;
/** How long each master lives after the one before it is gone: its lock's time, and a reign of about 5 s. */
const LIFE_MS = 8_000;

/** A job that runs on a node that is not master, on a machine that goes silently while masters die one after another. */
async function lostJob(seed: number, masters: number) {
  const cluster = await SimulatedCluster.start({ seed, nodes: masters + 3, slots: 1 });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  await cluster.time.advance(500);
  // As many as there are nodes: so each runs one.
  for (let count = 0; count < masters + 3; count++) cluster.add({ kind: "immediate" }, { ms: 600_000 });
  await cluster.time.advance(1_000);
  const { executions } = await cluster.evidence();
  const victim = cluster.awake.find((node) => !node.isMaster);
  if (victim === undefined) throw new Error("no node but the master");
  const lost = executions.find(({ nodeId }) => nodeId === victim.nodeId);
  if (lost === undefined) throw new Error("nothing ran there");
  const diedAt = cluster.time.now;
  cluster.crash(victim, SILENTLY);
  // A master reigns for 3 s since.
  await cluster.time.advance(3_500);
  for (let count = 0; count < masters; count++) {
    const { master } = cluster;
    if (master !== undefined) cluster.crash(master, SILENTLY);
    await cluster.time.advance(LIFE_MS);
  }
  const row = async () => {
    const { results } = await cluster.evidence();
    return results.find(({ jobId, claim }) => jobId === lost.jobId && claim === lost.claim);
  };
  return { cluster, diedAt, row };
}

test.each([1, 2, 3])(
  "a dead node's job is given up in time, though master after master dies (seed %i)",
  async (seed) => {
    const { cluster, diedAt, row } = await lostJob(seed, 5);
    const found = await row();
    expect(found).toMatchObject({ outcome: OUTCOME.LOST });
    const endedAfter = (found?.endTime ?? 0) - cluster.time.start - diedAt;
    expect(endedAfter).toBeGreaterThan(leaseMs);
    expect(endedAfter).toBeLessThan(leaseMs + lockTtlMs + 2_000);
  },
);
