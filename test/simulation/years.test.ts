/** A short form of `npm run simulate:years`: weeks around the changes of the clocks. SIMULATION_SEED sets the seed. */
import { describe, expect, test } from "vitest";
import { simulateYears } from "./years-verdict.ts";

const seed = Number(process.env["SIMULATION_SEED"] ?? 1);

describe("jobs in many time zones", () => {
  test.each(["2026-03-01", "2026-10-15"])(
    "have each occurrence accounted for, from %s",
    { timeout: 120_000 },
    async (day) => {
      const { found, counts } = await simulateYears({
        seed,
        start: Date.parse(day),
        days: 40,
        jobs: 60,
        zones: 20,
        hoursBetweenFaults: 8,
      });
      expect(found.slice(0, 20), `SIMULATION_SEED=${seed}`).toEqual([]);
      expect(counts["occurrences"]).toBeGreaterThan(1000);
      expect(counts["deaths"]).toBeGreaterThan(20);
    },
  );
});
