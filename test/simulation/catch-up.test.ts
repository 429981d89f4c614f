/** What was missed while nothing ran, with misfire `all`: each of them runs, whatever the overlap. */
import { describe, expect, test } from "vitest";
import { type JobSpec, NO_BOUNDS, OUTCOME } from "../../src/core/job.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import type { Behaviour } from "./simulated-executors.ts";

const EVERY_TEN = { kind: "cron", expression: "*/10 * * * * *", timeZone: "UTC" } as const;

async function withJob(behaviour: Behaviour, more: Partial<JobSpec>): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start({ seed: 3, nodes: 2, start: Date.UTC(2026, 0, 1) });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  const end = cluster.now + 300_000;
  const bounds = { ...NO_BOUNDS, endAt: end, lastAt: end };
  cluster.add(EVERY_TEN, behaviour, { bounds, misfire: "all", ...more });
  await cluster.time.advance(25_000);
  return cluster;
}

async function away(cluster: SimulatedCluster, ms: number): Promise<void> {
  for (const node of [...cluster.nodes]) cluster.crash(node);
  await cluster.time.advance(ms);
  for (const { nodeId } of [...cluster.nodes]) cluster.startNode(nodeId);
}

describe("occurrences that were missed, with misfire all", () => {
  test.each(["wait", "skip", "allow"] as const)(
    "all run, one after another where they may not overlap (%s)",
    async (overlap) => {
      const cluster = await withJob({ ms: 3000 }, { overlap });
      await away(cluster, 95_000);
      await cluster.time.advance(300_000);
      const { results } = await cluster.expectRest(400_000);
      expect(results.filter(({ outcome }) => outcome === OUTCOME.SKIPPED)).toEqual([]);
      const succeeded = results.filter(({ outcome }) => outcome === OUTCOME.SUCCEEDED);
      expect(new Set(succeeded.map(({ scheduledAt }) => scheduledAt)).size).toBe(30);
    },
  );

  test("leave out those that fall due while one runs that began in time (skip)", async () => {
    const cluster = await withJob({ ms: 25_000 }, { overlap: "skip" });
    await cluster.time.advance(300_000);
    const { results } = await cluster.expectRest(400_000);
    const skipped = results.filter(({ outcome }) => outcome === OUTCOME.SKIPPED);
    expect(skipped.length).toBeGreaterThan(8);
    for (const { reason, skippedCount } of skipped) expect([reason, skippedCount]).toEqual(["overlap", 2]);
  });

  test("go back as far as the deadline allows; what is older is one row", async () => {
    const cluster = await withJob({ ms: 100 }, { overlap: "skip", deadlineMs: 30_000 });
    await away(cluster, 95_000);
    await cluster.time.advance(300_000);
    const { results } = await cluster.expectRest(400_000);
    const skipped = results.filter(({ outcome }) => outcome === OUTCOME.SKIPPED);
    expect(skipped).toMatchObject([{ reason: "deadline" }]);
    expect(skipped[0]?.skippedCount).toBeGreaterThan(5);
  });
});
