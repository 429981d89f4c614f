/** When a job is due: pure functions of its schedule and an instant. Instants are epoch milliseconds. */

import { ElasticJobError } from "../errors.ts";
import type { Schedule } from "../job.ts";
import { parseCron } from "./cron.ts";
import { dailyTimes } from "./daily.ts";
import {
  type Counted,
  countLocalOccurrences,
  type LocalSchedule,
  nextLocalOccurrence,
  type Occurrence,
} from "./local-schedule.ts";
import { periodicTimes } from "./periodic-times.ts";

/** A schedule that comes again and again. */
export type RecurringSchedule = Extract<Schedule, { kind: "daily" | "cron" | "interval" }>;

export function isRecurring(schedule: Schedule): schedule is RecurringSchedule {
  return isRecurringKind(schedule.kind);
}

export function isRecurringKind(kind: Schedule["kind"]): kind is RecurringSchedule["kind"] {
  return kind === "daily" || kind === "cron" || kind === "interval";
}

/** The zone by whose clocks it comes. */
export function timeZoneOf(schedule: RecurringSchedule): string {
  return schedule.kind === "interval" ? ELAPSED_TIME : schedule.timeZone;
}

/** Of all zones the one whose clocks are never changed. */
const ELAPSED_TIME = "UTC";

/**
 * The first occurrence strictly after an instant, dropped ones (daily, gap `skip`) too. A dropped one
 * stands at the first instant after its gap, and is to be recorded as SKIPPED.
 */
export function nextOccurrenceOrDropped(schedule: RecurringSchedule, after: number): Occurrence | null {
  return nextLocalOccurrence(localSchedule(schedule), after);
}

/** The occurrences after an instant, through another one, dropped ones too. A step for each day, not for each of them. */
export function countOccurrences(schedule: RecurringSchedule, after: number, through: number): Counted {
  return countLocalOccurrences(localSchedule(schedule), after, through);
}

function localSchedule(schedule: RecurringSchedule): LocalSchedule {
  if (schedule.kind === "daily") {
    const { timeZone, gap, fold } = schedule;
    return { times: dailyTimes(schedule.secondOfDay), timeZone, rule: { gap, fold } };
  }
  if (schedule.kind === "interval") {
    const times = periodicTimes(schedule.anchor, schedule.everyMs);
    return { times, timeZone: ELAPSED_TIME, rule: { gap: "ignore", fold: "both" } };
  }
  const parsed = parseCron(schedule.expression);
  // Refused when the job was added, so only another version can have stored it.
  if ("error" in parsed) throw new ElasticJobError("internal", `cron expression ${parsed.error}`);
  return { times: parsed.times, timeZone: schedule.timeZone, rule: parsed.rule };
}
