/** Jobs of every kind, added over a time, some of them changed or deleted while they run. */
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { START } from "./virtual-clock.ts";

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

  function addOne(to: SimulatedCluster, index: number): void {
    const ms = random.between(0, 1500);
    switch (index % 12) {
      case 0:
        return to.add({ kind: "timed", runAt: START + time.now + random.between(0, 10_000) }, { ms });
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
      case 6: {
        if (index > 24) return to.add({ kind: "immediate" }, { ms });
        const seconds = random.pick([5, 6, 10]);
        const misfire = random.pick(["once", "skip"] as const);
        return to.add(
          { kind: "cron", expression: `*/${seconds} * * * * *`, timeZone: "UTC" },
          { ms: 200 },
          { misfire },
        );
      }
      case 7: {
        if (index > 24) return to.add({ kind: "immediate" }, { ms });
        const secondOfDay = Math.floor(time.now / 1000) + random.between(1, 10);
        return to.add(
          { kind: "daily", secondOfDay, timeZone: "UTC", gap: "run_after", fold: "first" },
          { ms },
        );
      }
      case 8:
        return to.add(
          { kind: "immediate" },
          { ms: 60_000 },
          {
            timeoutMs: 2000,
            retry: { maxAttempts: 2, initialBackoffMs: 200, maxBackoffMs: 1000, multiplier: 2 },
          },
        );
      default:
        return to.add({ kind: "immediate" }, { ms }, { priority: random.between(0, 3) });
    }
  }
}
