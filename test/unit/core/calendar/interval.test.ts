import { describe, expect, test } from "vitest";
import { LAST_INSTANT } from "../../../../src/core/calendar/local-schedule.ts";
import { firstDue, nextDue } from "../../../../src/core/calendar/next-due.ts";
import { previewOccurrences } from "../../../../src/core/calendar/schedule-preview.ts";
import { NO_BOUNDS, type Schedule } from "../../../../src/core/job.ts";
import { nextOccurrence } from "../../../fixtures/next-occurrence.ts";
import { WallCalendar } from "../../../fixtures/wall-clock-calendar.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ANCHOR = Date.parse("2026-03-28T22:00:00.250Z");

function every(everyMs: number, anchor = ANCHOR): Extract<Schedule, { kind: "interval" }> {
  return { kind: "interval", everyMs, anchor };
}

describe("an interval", () => {
  test("comes first at its anchor, then again and again, so far apart", () => {
    const schedule = every(90_000);
    expect(nextOccurrence(schedule, ANCHOR - DAY_MS)).toBe(ANCHOR);
    expect(nextOccurrence(schedule, ANCHOR - 1)).toBe(ANCHOR);
    expect(nextOccurrence(schedule, ANCHOR)).toBe(ANCHOR + 90_000);
    expect(nextOccurrence(schedule, ANCHOR + 90_000 * 1e6 - 1)).toBe(ANCHOR + 90_000 * 1e6);
  });

  test("is elapsed time: a night of 23 hours makes none of them nearer", () => {
    // Berlin's clocks are put forward in that night.
    const times = previewOccurrences(every(6 * HOUR_MS), ANCHOR, 4);
    expect(times).toEqual([1, 2, 3, 4].map((n) => ({ time: ANCHOR + n * 6 * HOUR_MS, note: "" })));
  });

  test("is the same by a walk that asks nothing of the calendar", () => {
    for (const schedule of [every(1000), every(7 * HOUR_MS + 1), every(DAY_MS, ANCHOR + DAY_MS)]) {
      const end = ANCHOR + 2 * DAY_MS;
      const expected = new WallCalendar("UTC", ANCHOR - HOUR_MS, end).dueTimes(schedule);
      let at: number | null = Math.floor((ANCHOR - HOUR_MS) / HOUR_MS) * HOUR_MS;
      for (const { instant } of expected) {
        at = nextOccurrence(schedule, at ?? Number.NaN);
        expect(at).toBe(instant);
      }
      expect(nextOccurrence(schedule, at ?? Number.NaN)).toBeGreaterThan(end);
    }
  });

  test("ends with the last instant that there is", () => {
    expect(nextOccurrence(every(DAY_MS), LAST_INSTANT - 1000)).toBeNull();
  });

  test("begins and ends as its bounds say", () => {
    const bounds = { ...NO_BOUNDS, startAt: ANCHOR + 1, lastAt: ANCHOR + 2 * HOUR_MS };
    const job = { id: 1, spec: { schedule: every(HOUR_MS), bounds, jitterMs: 0 } };
    expect(firstDue(job, ANCHOR - DAY_MS)?.at).toBe(ANCHOR + HOUR_MS);
    expect(nextDue(job, ANCHOR + HOUR_MS)?.at).toBe(ANCHOR + 2 * HOUR_MS);
    expect(nextDue(job, ANCHOR + 2 * HOUR_MS)).toBeNull();
  });
});
