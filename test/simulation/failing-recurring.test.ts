import { expect, test } from "vitest";
import { NO_BOUNDS, OUTCOME } from "../../src/core/job.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

test("an occurrence that keeps failing is retried until the next one is due, which then takes over with fresh attempts", async () => {
  const cluster = await SimulatedCluster.start({ seed: 4, nodes: 2, start: Date.UTC(2026, 0, 1) });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  const end = cluster.now + 120_000;
  const schedule = { kind: "cron", expression: "*/20 * * * * *", timeZone: "UTC" } as const;
  const retry = { maxAttempts: 0, initialBackoffMs: 1000, maxBackoffMs: 4000, multiplier: 2 };
  const bounds = { ...NO_BOUNDS, endAt: end, lastAt: end };
  cluster.add(
    schedule,
    { ms: 100, failures: Number.MAX_SAFE_INTEGER },
    { retry, bounds, deadlineMs: 25_000 },
  );
  await cluster.time.advance(120_000);
  const { results } = await cluster.expectRest();
  const byOccurrence = Map.groupBy(results, ({ scheduledAt }) => scheduledAt);
  expect(byOccurrence.size).toBe(6);
  for (const [scheduledAt, rows] of byOccurrence) {
    const inOrder = rows.toSorted((a, b) => a.claim - b.claim);
    expect(inOrder.map(({ attempt }) => attempt)).toEqual(inOrder.map((_, index) => index + 1));
    expect(inOrder.length).toBeGreaterThan(4);
    expect(inOrder.filter(({ retryAt }) => retryAt === null)).toMatchObject([{ outcome: OUTCOME.FAILED }]);
    // The very last one has none after it, and goes on to its deadline.
    if (scheduledAt + 20_000 > end) continue;
    for (const { startTime } of inOrder) expect(startTime).toBeLessThan(scheduledAt + 20_000);
  }
});
