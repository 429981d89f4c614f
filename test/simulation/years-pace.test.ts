/** What simulations of years must not bring about themselves: a lease that lapses because nothing happens, or lapses late. */
import { expect, test } from "vitest";
import { Lease } from "../../src/node/own-lease.ts";
import { Gate, ProcessClock, VirtualTime } from "../../src/testing/virtual-clock.ts";
import { violations } from "./check.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { YEARS_PACE } from "./years-pace.ts";

const MINUTE_MS = 60_000;
const { leaseMs, isPoll } = YEARS_PACE;

test("handlers run on through a night that is longer than a lease", async () => {
  const cluster = await SimulatedCluster.start({ seed: 1, nodes: 3, pace: YEARS_PACE });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  for (let count = 0; count < 3; count++) {
    cluster.add({ kind: "immediate" }, { ms: 2 * leaseMs, ignoresAbort: true });
  }
  // What happens first in the morning.
  cluster.time.after(1.1 * leaseMs, () => {});
  await cluster.time.advance(3 * leaseMs);
  const evidence = await cluster.evidence();
  expect(violations(evidence)).toEqual([]);
  expect(evidence.executions.map(({ claim }) => claim)).toEqual([1, 1, 1]);
});

test("a lease lapses when it ends, whenever its last ping was sent", async () => {
  const late: number[] = [];
  for (let sentAt = 7; sentAt < leaseMs / 5; sentAt += MINUTE_MS) {
    const time = new VirtualTime();
    const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 0, isPoll });
    const lease = new Lease(clock, leaseMs);
    const stopping = new AbortController();
    let lapsedAt = Number.NaN;
    void lease.guard(stopping.signal, () => {
      lapsedAt = time.now;
    });
    await time.advance(sentAt);
    lease.confirm(sentAt);
    // With nothing else to happen, what is a poll never comes.
    await time.advance(2 * leaseMs);
    stopping.abort();
    if (lapsedAt !== sentAt + leaseMs) late.push(sentAt);
  }
  expect(late).toEqual([]);
});
