import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDue, nextDue } from "../../../../src/core/calendar/next-due.ts";
import { NO_BOUNDS } from "../../../../src/core/job.ts";
import { EVERY_MINUTE, NOW, specOf } from "../../../fixtures/job-fixture.ts";

const MINUTE = 60_000;
const at = (time: number) => ({ scheduledAt: time, at: time, isDropped: false });

describe("what is due next", () => {
  test("of a job that runs once: nothing", () => {
    expect(nextDue({ id: 1, spec: specOf() }, NOW)).toBeNull();
    expect(nextDue({ id: 1, spec: specOf({ schedule: { kind: "timed", runAt: NOW + 1 } }) }, NOW)).toBeNull();
  });

  test("of a job that was just added: now, or at its time when that has not passed", () => {
    const runsAt = (runAt: number) => ({ id: 1, spec: specOf({ schedule: { kind: "timed", runAt } }) });
    expect(firstDue({ id: 1, spec: specOf() }, NOW)).toEqual(at(NOW));
    expect(firstDue(runsAt(NOW + 9), NOW)).toEqual(at(NOW + 9));
    expect(firstDue(runsAt(NOW - 9), NOW)).toEqual(at(NOW));
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

  test("is due well before the one after it, however long the jitter and however irregular the schedule", () => {
    const schedules = fc.constantFrom(
      { kind: "cron", expression: "0 9,10 * * *", timeZone: "UTC" } as const,
      { kind: "cron", expression: "*/5 * * * * *", timeZone: "UTC" } as const,
      { kind: "interval", everyMs: 7000, anchor: 12_345 } as const,
      { kind: "cron", expression: "*/30 1-3 * * *", timeZone: "Europe/Berlin" } as const,
      // Twice in the night of 25 October, an hour apart.
      {
        kind: "daily",
        secondOfDay: 9000,
        timeZone: "Europe/Berlin",
        gap: "run_after",
        fold: "both",
      } as const,
    );
    const start = Date.parse("2026-10-24T00:00:00Z");
    const property = fc.property(
      schedules,
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 86_400_000 }),
      (schedule, id, jitterMs) => {
        const job = { id, spec: specOf({ schedule, jitterMs }) };
        let due = nextDue(job, start);
        for (let n = 0; n < 30 && due !== null; n++) {
          const next = nextDue(job, due.scheduledAt);
          if (next === null) break;
          const interval = next.scheduledAt - due.scheduledAt;
          expect(next.scheduledAt - due.at).toBeGreaterThanOrEqual(Math.min(MINUTE, interval / 2));
          due = next;
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});
