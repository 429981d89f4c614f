import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_BOUNDS } from "../../../src/core/job.ts";
import { firstDue, nextDue } from "../../../src/core/next-due.ts";
import { EVERY_MINUTE, NOW, specOf } from "./job-fixture.ts";

const MINUTE = 60_000;
const at = (time: number) => ({ scheduledAt: time, at: time, isDropped: false });

describe("what is due next", () => {
  test("of a job that runs once: nothing", () => {
    expect(nextDue({ id: 1, spec: specOf() }, NOW)).toBeNull();
    expect(nextDue({ id: 1, spec: specOf({ schedule: { kind: "timed", runAt: NOW + 1 } }) }, NOW)).toBeNull();
  });

  test("keeps within its bounds", () => {
    const bounds = { ...NO_BOUNDS, startAt: NOW + 10 * MINUTE, lastAt: NOW + 11 * MINUTE };
    const job = { id: 1, spec: specOf({ schedule: EVERY_MINUTE, bounds }) };
    expect(firstDue(job, NOW)).toEqual(at(NOW + 10 * MINUTE));
    expect(nextDue(job, NOW + 10 * MINUTE)).toEqual(at(NOW + 11 * MINUTE));
    expect(nextDue(job, NOW + 11 * MINUTE)).toBeNull();
  });

  test("is the first occurrence of a schedule that replaced another, before any of its own", () => {
    const spec = specOf({ schedule: EVERY_MINUTE, startsAt: NOW + 5 * MINUTE });
    expect(nextDue({ id: 1, spec }, NOW)).toEqual(at(NOW + 5 * MINUTE));
    expect(nextDue({ id: 1, spec }, NOW + 5 * MINUTE)).toEqual(at(NOW + 6 * MINUTE));
    const once = specOf({ startsAt: NOW + 5 });
    expect(nextDue({ id: 1, spec: once }, NOW)).toEqual(at(NOW + 5));
    expect(nextDue({ id: 1, spec: once }, NOW + 5)).toBeNull();
  });

  test("is later by a jitter that is the same whenever it is asked, and differs among jobs and occurrences", () => {
    const jitterMs = 30_000;
    const spec = specOf({ schedule: EVERY_MINUTE, jitterMs });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (id) => {
        const due = nextDue({ id, spec }, NOW);
        expect(due).toEqual(nextDue({ id, spec }, NOW));
        expect(due?.scheduledAt).toBe(NOW + MINUTE);
        expect(due?.at).toBeGreaterThanOrEqual(NOW + MINUTE);
        expect(due?.at).toBeLessThanOrEqual(NOW + MINUTE + jitterMs);
      }),
    );
    const ofJobs = new Set(Array.from({ length: 100 }, (_, id) => nextDue({ id, spec }, NOW)?.at));
    expect(ofJobs.size).toBeGreaterThan(90);
    const ofTimes = Array.from({ length: 100 }, (_, n) => nextDue({ id: 7, spec }, NOW + n * MINUTE));
    expect(new Set(ofTimes.map((due) => (due?.at ?? 0) - (due?.scheduledAt ?? 0))).size).toBeGreaterThan(90);
  });
});
