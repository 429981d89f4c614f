/**
 * Random faults, each run from a seed of its own. SIMULATION_RUNS sets how many runs there are,
 * SIMULATION_SEED where the seeds start, and SIMULATION_LOG=1 prints all that the nodes logged.
 */
import { describe, test } from "vitest";
import { randomFaults } from "./random-faults.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { mixedLoad } from "./workload.ts";

const runs = Number(process.env["SIMULATION_RUNS"] ?? 40);
const firstSeed = Number(process.env["SIMULATION_SEED"] ?? 1);

/** An ordinary day; and just before the clocks of Europe go forward, and back. */
const STARTS = [
  Date.UTC(2026, 0, 1),
  Date.parse("2026-03-29T00:59:40Z"),
  Date.parse("2026-10-25T00:59:40Z"),
  Date.parse("2026-10-25T00:00:10Z"),
];

describe("a simulated cluster keeps its guarantees under random faults", () => {
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    test(`from seed ${seed}`, { timeout: 60_000 }, async () => {
      const start = STARTS[seed % STARTS.length];
      if (start === undefined) throw new Error("no start");
      const cluster = await SimulatedCluster.start({ seed, start, nodes: 2 + (seed % 3), maxSkewMs: 60_000 });
      mixedLoad(cluster, 80, 40_000);
      await randomFaults(cluster, 12);
      await cluster.expectRest();
    });
  }
});
