/** Jobs of every kind, added over a time, some of them changed or deleted while they run. */
import type { JobSpec, Schedule } from "../../src/core/job.ts";
import { NO_BOUNDS } from "../../src/core/job.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { Asked, SimulatedCluster } from "./simulated-cluster.ts";

export function mixedLoad(cluster: SimulatedCluster, jobs: number, overMs: number): void {
  const random = cluster.random.fork();
  const { time } = cluster;
  cluster.busyUntil = Math.max(cluster.busyUntil, time.now + overMs);
  for (let index = 0; index < jobs; index++) {
    time.after(random.between(0, overMs), () => addOne(cluster, index));
  }
  for (let index = 0; index < jobs / 10; index++) {
    time.after(random.between(overMs / 4, overMs), () =>
      cluster.control(random.chance(0.3) ? "delete" : "update"),
    );
  }
  for (let index = 0; index < jobs / 4; index++) {
    time.after(random.between(overMs / 4, overMs), () => askAtRandom(cluster, random));
  }

  function addOne(to: SimulatedCluster, index: number): void {
    const ms = random.between(0, 1500);
    switch (index % 12) {
      case 0:
        return to.add({ kind: "timed", runAt: to.now + random.between(0, 10_000) }, { ms });
      case 1:
        return to.add({ kind: "immediate" }, { ms: random.between(3000, 8000) });
      case 2:
        return to.add({ kind: "immediate" }, { ms, failures: 2 });
      case 3:
        return to.add(
          { kind: "immediate" },
          { ms, failures: 9 },
          {
            retry: { maxAttempts: 3, initialBackoffMs: 200, maxBackoffMs: 1000, multiplier: 2 },
          },
        );
      case 4:
        return to.add({ kind: "immediate" }, { ms, losses: 1 });
      case 5:
        return to.add({ kind: "immediate" }, { ms: random.between(2000, 10_000), ignoresAbort: true });
      case 6:
      case 7:
        if (index > 36) return to.add({ kind: "immediate" }, { ms });
        return addRecurring(to, random);
      case 8:
        return to.add(
          { kind: "immediate" },
          { ms: 60_000 },
          {
            timeoutMs: 2000,
            retry: { maxAttempts: 2, initialBackoffMs: 200, maxBackoffMs: 1000, multiplier: 2 },
          },
        );
      case 9:
        return to.add(
          { kind: "immediate" },
          { ms, failures: 3 },
          { deadlineMs: random.between(300, 10_000) },
        );
      default:
        return to.add({ kind: "immediate" }, { ms }, { priority: random.between(0, 3) });
    }
  }
}

const ACTIONS: readonly Asked[] = ["pause", "pause", "cancel", "retry", "trigger", "reschedule"];

/** As callers do; what they pause is resumed, as a rule. */
function askAtRandom(cluster: SimulatedCluster, random: SeededRandom): void {
  const action = random.pick(ACTIONS);
  const jobId = cluster.control(action);
  if (action !== "pause" || jobId === null || random.chance(0.1)) return;
  const ms = random.between(100, 20_000);
  cluster.busyUntil = Math.max(cluster.busyUntil, cluster.time.now + ms);
  cluster.time.after(ms, () => cluster.control("resume", jobId));
}

function addRecurring(cluster: SimulatedCluster, random: SeededRandom): void {
  const { now } = cluster;
  const timeZone = random.pick(["UTC", "Europe/Berlin", "Europe/London", "America/Nuuk", "Asia/Kathmandu"]);
  const seconds = random.pick([5, 6, 10]);
  // Of the day, in UTC and soon: where the clocks change then, in the gap or the fold, or just after it.
  const soon = Math.floor((now % 86_400_000) / 1000) + random.between(1, 30);
  const hours = random.pick([0, 0, 1, 2, 3]);
  const schedule: Schedule = random.chance(0.2)
    ? {
        kind: "interval",
        everyMs: seconds * 1000 + random.between(0, 999),
        anchor: now - random.between(0, 60_000),
      }
    : random.chance(0.5)
      ? { kind: "cron", expression: `*/${seconds} * * * * *`, timeZone }
      : {
          kind: "daily",
          secondOfDay: (soon + hours * 3600) % 86_400,
          timeZone,
          gap: random.pick(["run_after", "skip"]),
          fold: random.pick(["first", "last", "both"]),
        };
  const isSlow = random.chance(0.3);
  const more: Partial<JobSpec> = {
    // A slow one that comes every few seconds never rests, so that it has to end.
    bounds: isSlow || random.chance(0.3) ? { ...NO_BOUNDS, ...someBounds(random, now, schedule) } : NO_BOUNDS,
    jitterMs: random.pick([0, 0, 3000]),
    misfire: random.pick(["once", "skip", "all"]),
    overlap: random.pick(["wait", "skip", "allow"]),
    deadlineMs: random.pick([null, null, 4000]),
  };
  cluster.add(schedule, { ms: isSlow ? 7000 : 200, failures: random.pick([0, 0, 1]) }, more);
}

function someBounds(random: SeededRandom, now: number, schedule: Schedule) {
  const startAt = random.chance(0.5) ? now + random.between(0, 10_000) : null;
  // A daily job's next occurrence may lie hours ahead.
  const endAt = now + (schedule.kind === "daily" ? 86_400_000 : random.between(20_000, 60_000));
  return { startAt, endAt, lastAt: endAt };
}
