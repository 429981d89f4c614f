import { describe, expect, test } from "vitest";
import { parseTimeOfDay } from "../../../../src/core/calendar/daily.ts";
import {
  nextOccurrenceOrDropped,
  type RecurringSchedule,
  timeZoneOf,
} from "../../../../src/core/calendar/schedule.ts";
import { previewOccurrences } from "../../../../src/core/calendar/schedule-preview.ts";
import type { Schedule } from "../../../../src/core/job.ts";
import { nextOccurrence } from "../../../fixtures/next-occurrence.ts";

type Daily = Extract<Schedule, { kind: "daily" }>;

function daily(
  at: string,
  timeZone: string,
  gap: Daily["gap"] = "run_after",
  fold: Daily["fold"] = "first",
): Daily {
  return { kind: "daily", secondOfDay: parseTimeOfDay(at) ?? Number.NaN, timeZone, gap, fold };
}

function cron(expression: string, timeZone = "UTC"): RecurringSchedule {
  return { kind: "cron", expression, timeZone };
}

/** The next times, as clocks in the zone show them. */
function nextTimes(schedule: RecurringSchedule, after: string, count: number): string[] {
  const times: string[] = [];
  let next = nextOccurrence(schedule, Date.parse(after));
  while (next !== null && times.length < count) {
    times.push(
      Temporal.Instant.fromEpochMilliseconds(next)
        .toZonedDateTimeISO(timeZoneOf(schedule))
        .toString({ timeZoneName: "never" }),
    );
    next = nextOccurrence(schedule, next);
  }
  return times;
}

describe("daily", () => {
  test("an occurrence at this very instant is not the next one", () => {
    const noon = Date.parse("2026-05-05T12:00:00Z");
    expect(nextOccurrence(daily("12:00", "UTC"), noon)).toBe(noon + 86_400_000);
    expect(nextOccurrence(daily("12:00", "UTC"), noon - 1)).toBe(noon);
  });

  test("New York, 02:30 on the day when it does not exist: at 03:00, or not at all", () => {
    const after = "2026-03-07T12:00:00-05:00";
    expect(nextTimes(daily("02:30", "America/New_York"), after, 2)).toEqual([
      "2026-03-08T03:00:00-04:00",
      "2026-03-09T02:30:00-04:00",
    ]);
    expect(nextTimes(daily("02:30", "America/New_York", "skip"), after, 1)).toEqual([
      "2026-03-09T02:30:00-04:00",
    ]);
  });

  test("New York, 01:30 on the day when it comes twice: at the first, the last, or both", () => {
    const after = "2026-10-31T12:00:00-04:00";
    const [first, last, next] = [
      "2026-11-01T01:30:00-04:00",
      "2026-11-01T01:30:00-05:00",
      "2026-11-02T01:30:00-05:00",
    ];
    const inFold = (fold: Daily["fold"], count: number) =>
      nextTimes(daily("01:30", "America/New_York", "run_after", fold), after, count);
    expect(inFold("first", 2)).toEqual([first, next]);
    expect(inFold("last", 2)).toEqual([last, next]);
    expect(inFold("both", 3)).toEqual([first, last, next]);
  });

  test("New York, between the two passes of a fold, only the rules that use the second have a run to come", () => {
    const between = "2026-11-01T01:45:00-04:00";
    const fold = (rule: Daily["fold"]) =>
      nextTimes(daily("01:30", "America/New_York", "run_after", rule), between, 1);
    expect(fold("first")).toEqual(["2026-11-02T01:30:00-05:00"]);
    expect(fold("last")).toEqual(["2026-11-01T01:30:00-05:00"]);
    expect(fold("both")).toEqual(["2026-11-01T01:30:00-05:00"]);
  });

  test("Apia has no run on 2011-12-30, a day that it left out", () => {
    const after = "2011-12-28T23:59:59.5-10:00";
    for (const at of ["00:00", "10:00", "23:59:59"]) {
      const days = (schedule: RecurringSchedule) =>
        nextTimes(schedule, after, 3).map((time) => time.slice(0, 10));
      expect(days(daily(at, "Pacific/Apia"))).toEqual(["2011-12-29", "2011-12-31", "2012-01-01"]);
    }
    expect(nextTimes(cron("0,30 9 * * *", "Pacific/Apia"), "2011-12-29T09:15:00-10:00", 2)).toEqual([
      "2011-12-29T09:30:00-10:00",
      "2011-12-31T09:00:00+14:00",
    ]);
  });

  test("Lord Howe moves its clocks by half an hour", () => {
    expect(nextTimes(daily("02:15", "Australia/Lord_Howe"), "2026-10-03T12:00:00+10:30", 2)).toEqual([
      "2026-10-04T02:30:00+11:00",
      "2026-10-05T02:15:00+11:00",
    ]);
    expect(
      nextTimes(daily("01:45", "Australia/Lord_Howe", "skip", "both"), "2026-04-04T12:00:00+11:00", 3),
    ).toEqual(["2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30", "2026-04-06T01:45:00+10:30"]);
  });

  test("Casablanca puts its clocks back for Ramadan, and forward after it", () => {
    expect(nextTimes(daily("02:30", "Africa/Casablanca"), "2025-02-22T12:00:00+01:00", 2)).toEqual([
      "2025-02-23T02:30:00+01:00",
      "2025-02-24T02:30:00+00:00",
    ]);
    expect(nextTimes(daily("02:30", "Africa/Casablanca"), "2025-04-05T12:00:00+00:00", 2)).toEqual([
      "2025-04-06T03:00:00+01:00",
      "2025-04-07T02:30:00+01:00",
    ]);
  });

  test("a gap at midnight moves the run to the first instant after it: São Paulo and Beirut", () => {
    expect(nextTimes(daily("00:00", "America/Sao_Paulo"), "2018-11-03T12:00:00-03:00", 2)).toEqual([
      "2018-11-04T01:00:00-02:00",
      "2018-11-05T00:00:00-02:00",
    ]);
    expect(nextTimes(daily("00:30", "Asia/Beirut"), "2026-03-28T12:00:00+02:00", 2)).toEqual([
      "2026-03-29T01:00:00+03:00",
      "2026-03-30T00:30:00+03:00",
    ]);
  });

  test("a gap that ends at midnight moves the run to the next day, which keeps its own: Scoresbysund", () => {
    expect(nextTimes(daily("23:30", "America/Scoresbysund"), "2025-03-29T12:00:00-02:00", 2)).toEqual([
      "2025-03-30T00:00:00-01:00",
      "2025-03-30T23:30:00-01:00",
    ]);
  });

  test("a fold over midnight does not make a day's run come early: Havana and São Paulo", () => {
    expect(
      nextTimes(daily("23:30", "America/Sao_Paulo", "run_after", "both"), "2018-02-17T12:00:00-02:00", 3),
    ).toEqual(["2018-02-17T23:30:00-02:00", "2018-02-17T23:30:00-03:00", "2018-02-18T23:30:00-03:00"]);
    expect(nextTimes(daily("00:30", "America/Havana"), "2026-10-31T12:00:00-04:00", 2)).toEqual([
      "2026-11-01T00:30:00-04:00",
      "2026-11-02T00:30:00-05:00",
    ]);
  });
});

describe("cron", () => {
  test("29 February comes in leap years", () => {
    expect(
      nextTimes(cron("0 12 29 2 *"), "2026-01-01T00:00:00Z", 3).map((time) => time.slice(0, 10)),
    ).toEqual(["2028-02-29", "2032-02-29", "2036-02-29"]);
    // 2100 is no leap year.
    expect(nextTimes(cron("0 12 29 2 *"), "2097-01-01T00:00:00Z", 1)).toEqual(["2104-02-29T12:00:00+00:00"]);
  });

  test("day 31 comes in months that have it, L on each month's last day", () => {
    const days = (expression: string, count: number) =>
      nextTimes(cron(expression), "2027-01-31T12:00:00Z", count).map((time) => time.slice(5, 10));
    expect(days("0 0 31 * *", 4)).toEqual(["03-31", "05-31", "07-31", "08-31"]);
    expect(days("0 0 L * *", 3)).toEqual(["02-28", "03-31", "04-30"]);
  });

  test("day of month and day of week both given mean either; one that starts with * restricts nothing by itself", () => {
    const days = (expression: string) =>
      nextTimes(cron(expression), "2026-10-31T12:00:00Z", 3).map((time) => time.slice(5, 10));
    expect(days("0 0 1,15 * MON")).toEqual(["11-01", "11-02", "11-09"]);
    expect(days("0 0 */2 * MON")).toEqual(["11-09", "11-23", "12-07"]);
    expect(days("0 0 ? * MON")).toEqual(["11-02", "11-09", "11-16"]);
  });

  test("six fields start with the seconds", () => {
    expect(nextTimes(cron("*/20 59 23 * * *"), "2026-01-01T23:59:20Z", 3)).toEqual([
      "2026-01-01T23:59:40+00:00",
      "2026-01-02T23:59:00+00:00",
      "2026-01-02T23:59:20+00:00",
    ]);
  });

  test("several times in one gap make one run, at the first instant after", () => {
    for (const expression of ["0,30 2 * * *", "*/10 2 * * *"]) {
      expect(nextTimes(cron(expression, "America/New_York"), "2026-03-07T12:00:00-05:00", 2)).toEqual([
        "2026-03-08T03:00:00-04:00",
        "2026-03-09T02:00:00-04:00",
      ]);
    }
  });

  test("one that also runs at the first instant after a gap runs there once", () => {
    expect(nextTimes(cron("0 2,3 * * *", "America/New_York"), "2026-03-07T12:00:00-05:00", 2)).toEqual([
      "2026-03-08T03:00:00-04:00",
      "2026-03-09T02:00:00-04:00",
    ]);
  });

  test("one that runs every hour makes up for nothing", () => {
    expect(nextTimes(cron("30 * * * *", "America/New_York"), "2026-03-08T01:00:00-05:00", 2)).toEqual([
      "2026-03-08T01:30:00-05:00",
      "2026-03-08T03:30:00-04:00",
    ]);
  });

  test("in a fold a fixed time runs once, an interval goes on through both passes", () => {
    const after = "2026-11-01T01:00:00-04:00";
    expect(nextTimes(cron("0,30 1 * * *", "America/New_York"), after, 2)).toEqual([
      "2026-11-01T01:30:00-04:00",
      "2026-11-02T01:00:00-05:00",
    ]);
    expect(nextTimes(cron("*/30 * * * *", "America/New_York"), after, 4)).toEqual([
      "2026-11-01T01:30:00-04:00",
      "2026-11-01T01:00:00-05:00",
      "2026-11-01T01:30:00-05:00",
      "2026-11-01T02:00:00-05:00",
    ]);
  });

  test("is over at the end of the year 9999, as every schedule is", () => {
    const after = Date.parse("9999-12-31T23:58:00Z");
    expect(nextOccurrence(daily("12:00", "UTC"), after)).toBeNull();
    expect(nextOccurrence(cron("0 0 * * *", "Asia/Tokyo"), after)).toBeNull();
  });
});

describe("a preview", () => {
  const preview = (schedule: Schedule, after: string, count: number) =>
    previewOccurrences(schedule, Date.parse(after), count).map(({ time, note }) => [
      new Date(time).toISOString(),
      note,
    ]);

  test("notes what a change of the clocks moved, dropped and doubled, and nothing else", () => {
    expect(preview(daily("02:30", "America/New_York"), "2026-03-07T12:00:00Z", 2)).toEqual([
      [
        "2026-03-08T07:00:00.000Z",
        "02:30 does not exist on 2026-03-08 in America/New_York, the clocks jump over it: runs at the first instant after",
      ],
      ["2026-03-09T06:30:00.000Z", ""],
    ]);
    expect(preview(daily("02:30", "America/New_York", "skip"), "2026-03-07T12:00:00Z", 1)).toEqual([
      [
        "2026-03-08T07:00:00.000Z",
        "02:30 does not exist on 2026-03-08 in America/New_York, the clocks jump over it: skipped; the time shown is the first instant after",
      ],
    ]);
    expect(preview(daily("01:30", "America/New_York", "skip", "both"), "2026-11-01T00:00:00Z", 2)).toEqual([
      ["2026-11-01T05:30:00.000Z", "01:30 comes twice on 2026-11-01 in America/New_York: this is the first"],
      ["2026-11-01T06:30:00.000Z", "01:30 comes twice on 2026-11-01 in America/New_York: this is the second"],
    ]);
  });

  test("a dropped occurrence can be told from a run, for it is to be recorded", () => {
    const schedule = daily("02:30", "America/New_York", "skip");
    expect(nextOccurrenceOrDropped(schedule, Date.parse("2026-03-08T00:00:00-05:00"))).toEqual({
      time: Date.parse("2026-03-08T03:00:00-04:00"),
      local: Date.parse("2026-03-08T02:30:00Z"),
      change: "dropped",
    });
  });

  test("lists a one-shot schedule once, if it is still to come", () => {
    expect(preview({ kind: "immediate" }, "2026-01-01T00:00:00Z", 3)).toEqual([
      ["2026-01-01T00:00:00.000Z", "as soon as possible"],
    ]);
    const runAt = Date.parse("2026-01-01T00:00:01Z");
    expect(preview({ kind: "timed", runAt }, "2026-01-01T00:00:00Z", 3)).toEqual([
      ["2026-01-01T00:00:01.000Z", ""],
    ]);
    expect(preview({ kind: "timed", runAt }, "2026-01-01T00:00:01Z", 3)).toEqual([]);
  });
});
