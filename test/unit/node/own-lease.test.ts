import { expect, test } from "vitest";
import { Lease } from "../../../src/node/own-lease.ts";
import { Gate, ProcessClock, VirtualTime } from "../../../src/testing/virtual-clock.ts";

const LEASE_MS = 6000;
const UPTIME_MS = 5000;

function rig() {
  const time = new VirtualTime();
  const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: UPTIME_MS });
  const lapses: number[] = [];
  const stopping = new AbortController();
  const lease = new Lease(clock, LEASE_MS);
  const guarded = lease.guard(stopping.signal, () => lapses.push(time.now));
  return { time, clock, lease, lapses, stopping, guarded };
}

test("no lease holds before a ping was answered, and none lapses", async () => {
  const { time, lease, lapses } = rig();
  expect(lease.holds).toBe(false);
  await time.advance(10 * LEASE_MS);
  expect(lapses).toEqual([]);
});

test("a lease holds from when the ping was sent, for its time, and lapses once", async () => {
  const { time, lease, lapses } = rig();
  await time.advance(100);
  lease.confirm(UPTIME_MS);
  await time.advance(LEASE_MS - 101);
  expect(lease.holds).toBe(true);
  expect(lapses).toEqual([]);
  await time.advance(1);
  expect(lease.holds).toBe(false);
  expect(lapses).toEqual([LEASE_MS]);
  await time.advance(10 * LEASE_MS);
  expect(lapses).toHaveLength(1);
});

test("an answer to an older ping that comes late shortens nothing", async () => {
  const { time, lease, lapses } = rig();
  lease.confirm(UPTIME_MS + 1000);
  lease.confirm(UPTIME_MS);
  await time.advance(LEASE_MS + 999);
  expect(lapses).toEqual([]);
  await time.advance(1);
  expect(lapses).toEqual([LEASE_MS + 1000]);
});

test("a lease that has lapsed holds again with the next answer, and lapses again", async () => {
  const { time, lease, lapses } = rig();
  lease.confirm(UPTIME_MS);
  await time.advance(2 * LEASE_MS);
  lease.confirm(UPTIME_MS + 2 * LEASE_MS);
  expect(lease.holds).toBe(true);
  await time.advance(2 * LEASE_MS);
  expect(lapses).toEqual([LEASE_MS, 3 * LEASE_MS]);
});

test("a machine that has slept takes its lease for lapsed within a fifth of it, though the monotonic clock stood still", async () => {
  const { time, clock, lease, lapses } = rig();
  lease.confirm(UPTIME_MS);
  // Less than what is left changes nothing, nor does a wall clock that is set back.
  clock.skewMs += 1000;
  await time.advance(LEASE_MS / 5);
  clock.skewMs -= 4000;
  await time.advance(LEASE_MS / 5);
  clock.skewMs += 2000;
  await time.advance(LEASE_MS / 5);
  // It looks again when the lease would have lapsed if the rest of it had been slept away.
  clock.skewMs += 2000;
  await time.advance(399);
  expect(lapses).toEqual([]);
  await time.advance(1);
  expect(lapses).toEqual([4000]);
  expect(lease.holds).toBe(false);
});

test("nothing lapses once the node stops", async () => {
  const { time, lease, lapses, stopping, guarded } = rig();
  lease.confirm(UPTIME_MS);
  stopping.abort();
  await guarded;
  await time.advance(2 * LEASE_MS);
  expect(lapses).toEqual([]);
});

test("a machine that wakes looks for it five times a lease", async () => {
  const { time, clock, lease, lapses } = rig();
  lease.confirm(UPTIME_MS);
  await time.advance(10);
  clock.skewMs += 2 * LEASE_MS;
  await time.advance(LEASE_MS);
  expect(lapses).toEqual([LEASE_MS / 5]);
});

test("a lease is over at its end, also before that was noticed", async () => {
  const { time, lease, stopping, guarded } = rig();
  lease.confirm(UPTIME_MS);
  stopping.abort();
  await guarded;
  await time.advance(LEASE_MS - 1);
  expect(lease.holds).toBe(true);
  await time.advance(1);
  expect(lease.holds).toBe(false);
});
