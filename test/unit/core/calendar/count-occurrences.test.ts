import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { RecurringSchedule } from "../../../../src/core/calendar/schedule.ts";
import { countOccurrences, nextOccurrenceOrDropped } from "../../../../src/core/calendar/schedule.ts";
import { TimesOfDay } from "../../../../src/core/calendar/times-of-day.ts";

const DAY_MS = 86_400_000;
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Antarctica/Troll",
  "Asia/Beirut",
  "Africa/Casablanca",
  "Pacific/Apia",
];

/** One after another, as the scheduler finds them. */
function steps(schedule: RecurringSchedule, after: number, through: number): number[] {
  const times: number[] = [];
  let next = nextOccurrenceOrDropped(schedule, after);
  while (next !== null && next.time <= through) {
    times.push(next.time);
    next = nextOccurrenceOrDropped(schedule, next.time);
  }
  return times;
}

const schedules = fc.oneof(
  fc.record({
    kind: fc.constant("daily" as const),
    // Where the clocks change, as a rule.
    secondOfDay: fc.oneof(fc.integer({ min: 0, max: 12_600 }), fc.integer({ min: 0, max: 86_399 })),
    timeZone: fc.constantFrom(...ZONES),
    gap: fc.constantFrom("run_after" as const, "skip" as const),
    fold: fc.constantFrom("first" as const, "last" as const, "both" as const),
  }),
  fc.record({
    kind: fc.constant("cron" as const),
    expression: fc.constantFrom(
      "*/20 * * * *",
      "30 2 * * *",
      "0 0 * * *",
      "15,45 0-3 * * 6",
      "0 */8 * * *",
      "*/7 2 * * *",
      "30 0 2 30 * *",
      "0 3 31 * *",
      "10 30 1 * * 1-5",
      "59 59 23 L * *",
      "20-40/20 5 1,2 * * 0",
    ),
    timeZone: fc.constantFrom(...ZONES),
  }),
  fc.record({
    kind: fc.constant("interval" as const),
    everyMs: fc.integer({ min: 3_600_000, max: 40 * DAY_MS }),
    anchor: fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2037, 0, 1) }),
  }),
);

describe("counting the occurrences between two instants", () => {
  test("finds as many as there are, the last two among them", () => {
    const property = fc.property(
      schedules,
      fc.integer({ min: Date.UTC(2009, 0, 1), max: Date.UTC(2037, 0, 1) }),
      fc.integer({ min: 0, max: 220 * DAY_MS }),
      (schedule, start, length) => {
        const first = nextOccurrenceOrDropped(schedule, start)?.time ?? start;
        // From an occurrence on, as it is used, and from anywhere.
        for (const after of [start, first]) {
          const times = steps(schedule, after, after + length);
          expect(countOccurrences(schedule, after, after + length)).toEqual({
            count: times.length,
            last: times.at(-1) ?? null,
            beforeLast: times.at(-2) ?? null,
          });
          for (const through of times.slice(-3)) {
            expect(countOccurrences(schedule, after, through).last).toBe(through);
            expect(countOccurrences(schedule, after, through - 1).last ?? after).toBeLessThan(through);
          }
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
  }, 60_000);

  test("takes a step for each day, not for each second, of ten years of seconds", () => {
    const schedule = { kind: "cron", expression: "* * * * * *", timeZone: "Europe/Berlin" } as const;
    const start = Date.UTC(2026, 0, 1);
    const looks = vi.spyOn(TimesOfDay.prototype, "countBefore");
    onTestFinished(() => looks.mockRestore());
    const { count } = countOccurrences(schedule, start, start + 3650 * DAY_MS);
    expect(count).toBe(3650 * 86_400);
    // Two a day, and two more for each day on which the clocks change.
    expect(looks.mock.calls.length).toBeLessThanOrEqual(2 * (3650 + 1 + 20));
  });
});
