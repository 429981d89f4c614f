import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecurringSchedule } from "../../../src/core/calendar/schedule.ts";
import { nextOccurrence } from "../../fixtures/next-occurrence.ts";
import {
  daysOfChange,
  type Expected,
  expectedRuns,
  isInside,
  type Reading,
  readAll,
  wallClock,
} from "../../fixtures/wall-clock-oracle.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
// Far longer than it takes, even on a slow machine: the tests end by themselves.
const TIMEOUT_MS = 120_000;
const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];

const years = fc.integer({ min: 1973, max: 2037 });
const minutesOfDay = fc.integer({ min: 0, max: 1439 });
const gaps = fc.constantFrom("run_after" as const, "skip" as const);
const folds = fc.constantFrom("first" as const, "last" as const, "both" as const);

/** Stretches of five days: around each change of the clocks in the year, and one that may have none. */
function stretches(timeZone: string, year: number): Reading[][] {
  const readClock = wallClock(timeZone);
  const starts = [...daysOfChange(readClock, year).slice(0, 4), Date.UTC(year, 5, 12)];
  return starts.map((start) => readAll(readClock, start - 2 * DAY_MS, start + 3 * DAY_MS));
}

/** A minute of the day that a change of the clocks touches, where there is one. */
function minuteAtChange(readings: readonly Reading[], minuteOfDay: number): number {
  for (const [index, { instant, local }] of readings.entries()) {
    const before = readings[index - 1];
    if (!before || local - instant === before.local - before.instant) continue;
    const from = Math.min(local, before.local);
    const inside = from + (minuteOfDay / 1440) * Math.abs(local - before.local);
    return Math.floor((inside % DAY_MS) / 60_000);
  }
  return minuteOfDay;
}

function runsOf(schedule: RecurringSchedule, readings: readonly Reading[]): number[] {
  const runs: number[] = [];
  let next = nextOccurrence(schedule, (readings[0]?.instant ?? 0) + DAY_MS - HOUR_MS);
  while (next !== null && next < (readings.at(-1)?.instant ?? 0)) {
    if (isInside(readings, next)) runs.push(next);
    next = nextOccurrence(schedule, next);
  }
  return runs;
}

describe("in every time zone", { timeout: TIMEOUT_MS }, () => {
  test("a daily job runs at its local time, once per local day, except where the clocks change", () => {
    for (const timeZone of ZONES) {
      const property = fc.property(years, minutesOfDay, gaps, folds, (year, random, gap, fold) => {
        for (const readings of stretches(timeZone, year)) {
          for (const minute of [random, minuteAtChange(readings, random)]) {
            const names = (local: number) => local % DAY_MS === minute * 60_000;
            const schedule: RecurringSchedule = {
              kind: "daily",
              secondOfDay: minute * 60,
              timeZone,
              gap,
              fold,
            };
            expect(runsOf(schedule, readings)).toEqual(expectedRuns(readings, { gap, fold, names }));
          }
        }
      });
      fc.assert(property, { numRuns: 1 });
    }
  });

  test.each<{ expression: string } & Expected>([
    {
      expression: "*/20 * * * *",
      gap: "ignore",
      fold: "both",
      names: (local) => minuteOf(local) % 20 === 0 && local % 60_000 === 0,
    },
    {
      expression: "15,45 0-4,22-23 * * *",
      gap: "run_after",
      fold: "first",
      names: (local) =>
        [15, 45].includes(minuteOf(local)) &&
        [0, 1, 2, 3, 4, 22, 23].includes(hourOf(local)) &&
        local % 60_000 === 0,
    },
    {
      expression: "*/30 0-3 * * *",
      gap: "run_after",
      fold: "both",
      names: (local) => minuteOf(local) % 30 === 0 && hourOf(local) < 4 && local % 60_000 === 0,
    },
  ])(
    "the cron expression $expression runs when a clock on the wall says so",
    ({ expression, ...expected }) => {
      for (const timeZone of ZONES) {
        const property = fc.property(years, (year) => {
          for (const readings of stretches(timeZone, year)) {
            expect(runsOf({ kind: "cron", expression, timeZone }, readings)).toEqual(
              expectedRuns(readings, expected),
            );
          }
        });
        fc.assert(property, { numRuns: 1 });
      }
    },
  );

  test("the next occurrence is strictly after, and the same from everywhere before it", () => {
    const schedules = fc.oneof(
      fc
        .tuple(fc.integer({ min: 0, max: 86_399 }), gaps, folds)
        .map(([secondOfDay, gap, fold]) => ({ kind: "daily" as const, secondOfDay, gap, fold })),
      fc
        .constantFrom("*/5 * * * *", "30 2 * * *", "0 0 1,31 * *", "10 30 1 * * 1-5", "0 12 29 2 *")
        .map((expression) => ({ kind: "cron" as const, expression })),
    );
    const instants = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
    const property = fc.property(
      fc.constantFrom(...ZONES),
      schedules,
      instants,
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (timeZone, zoneless, after, fraction) => {
        const schedule: RecurringSchedule = { ...zoneless, timeZone };
        const next = nextOccurrence(schedule, after);
        if (next === null) throw new Error("a recurring schedule has a next occurrence");
        expect(next).toBeGreaterThan(after);
        expect(nextOccurrence(schedule, after + Math.floor((next - after) * fraction))).toBe(next);
        expect(nextOccurrence(schedule, next)).toBeGreaterThan(next);
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });
});

function minuteOf(local: number): number {
  return Math.floor(local / 60_000) % 60;
}

function hourOf(local: number): number {
  return Math.floor(local / HOUR_MS) % 24;
}
