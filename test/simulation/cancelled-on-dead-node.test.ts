/** A run that is cancelled while nobody can say whether its handler has ended: its job waits, and misses what falls due. */
import { expect, test } from "vitest";
import { NO_BOUNDS, OUTCOME } from "../../src/core/job.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

const EVERY_SECOND = { kind: "cron", expression: "* * * * * *", timeZone: "UTC" } as const;

test("occurrences that fall due before a dead machine is taken for gone are missed, and nobody is to blame", async () => {
  const cluster = await SimulatedCluster.start({ seed: 1, nodes: 3 });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  // From here on, jobs can be given out all the time.
  cluster.outages = [];
  const endAt = cluster.now + 30_000;
  const more = { misfire: "skip", bounds: { ...NO_BOUNDS, endAt, lastAt: endAt } } as const;
  for (let count = 0; count < 6; count++) cluster.add(EVERY_SECOND, { ms: 900 }, more);
  await cluster.time.advance(5_500);
  const { executions } = await cluster.evidence();
  const victim = cluster.follower;
  const abandoned = executions.filter(({ endedAt, nodeId }) => endedAt === null && nodeId === victim?.nodeId);
  if (victim === undefined || abandoned.length === 0) throw new Error("nothing ran but at the master");
  cluster.crash(victim, true);
  for (const { jobId } of abandoned) cluster.control("cancel", jobId);
  await cluster.time.advance(30_000);
  const { results } = await cluster.expectRest();
  for (const { jobId, claim } of abandoned) {
    const rowOf = (number: number) => results.find((row) => row.jobId === jobId && row.claim === number);
    expect(rowOf(claim)).toMatchObject({ outcome: OUTCOME.CANCELLED });
    expect(rowOf(claim + 1)).toMatchObject({ outcome: OUTCOME.SKIPPED, reason: "misfire" });
    expect(rowOf(claim + 1)?.skippedCount).toBeGreaterThan(3);
  }
});
