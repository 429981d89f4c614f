/** Where a recurring schedule begins and ends, checked, and its last occurrence found. */

import { isRecurring, nextOccurrenceOrDropped, type RecurringSchedule } from "../calendar/schedule.ts";
import type { Problem } from "../errors.ts";
import { type Bounds, NO_BOUNDS, type Schedule } from "../job.ts";
import { integerProblem } from "./field-checks.ts";
import { FIELD_RANGES } from "./field-ranges.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

/** `schedule`: null when it is not good itself. What it returns is only good if it added no problems. */
export function checkBounds(
  raw: RawJobSpec,
  schedule: Schedule | null,
  now: number,
  problems: Problem[],
): Bounds {
  const { startAt = null, endAt = null, maxOccurrences = null, before } = raw;
  const asked = { startAt, endAt, maxOccurrences, lastAt: null };
  if (schedule !== null && before !== undefined && isUnchanged(before, schedule, asked)) return before.bounds;
  const found = problems.length;
  if (maxOccurrences !== null) {
    integerProblem("maxOccurrences", maxOccurrences, FIELD_RANGES.maxOccurrences, problems);
  }
  if (endAt !== null && endAt <= now) {
    problems.push({
      field: "endAt",
      message: `${iso(endAt)} has passed; a time after ${iso(now)} is accepted`,
    });
  }
  if (startAt !== null && endAt !== null && startAt > endAt) {
    const message = `${iso(startAt)} is after endAt, ${iso(endAt)}; up to that is accepted`;
    problems.push({ field: "startAt", message });
  }
  // For other kinds the bounds are refused by their names, and those are problems enough.
  if (schedule === null || !isRecurring(schedule)) return NO_BOUNDS;
  if (problems.length > found) return asked;
  const first = nextTime(schedule, startAt === null ? now : Math.max(now, startAt - 1));
  if (first === null || (endAt !== null && first > endAt)) {
    problems.push(noOccurrence(schedule, asked, first, now));
    return asked;
  }
  return { ...asked, lastAt: lastOccurrence(schedule, asked, first) };
}

function isUnchanged(before: NonNullable<RawJobSpec["before"]>, schedule: Schedule, asked: Bounds): boolean {
  return (
    before.bounds.startAt === asked.startAt &&
    before.bounds.endAt === asked.endAt &&
    before.bounds.maxOccurrences === asked.maxOccurrences &&
    JSON.stringify(before.schedule) === JSON.stringify(schedule)
  );
}

function lastOccurrence(schedule: RecurringSchedule, bounds: Bounds, first: number): number | null {
  const { endAt, maxOccurrences } = bounds;
  if (maxOccurrences === null) return endAt;
  return Math.min(endAt ?? Number.POSITIVE_INFINITY, nthOccurrence(schedule, first, maxOccurrences));
}

// Counting 10,000 takes up to 0.1 s, and the jobs of one call often share a schedule.
const counted = new Map<string, number>();
const COUNTED_SCHEDULES = 1000;

/** Dropped occurrences count: each of them is in the ledger, as SKIPPED. The last one, where there are not so many. */
function nthOccurrence(schedule: RecurringSchedule, first: number, count: number): number {
  const key = JSON.stringify([schedule, first, count]);
  const known = counted.get(key);
  if (known !== undefined) return known;
  let last = first;
  for (let n = 1; n < count; n++) {
    const next = nextTime(schedule, last);
    if (next === null) break;
    last = next;
  }
  if (counted.size >= COUNTED_SCHEDULES) counted.clear();
  counted.set(key, last);
  return last;
}

function noOccurrence(
  schedule: RecurringSchedule,
  { startAt, endAt }: Bounds,
  first: number | null,
  now: number,
): Problem {
  if (first !== null && endAt !== null) {
    const from = startAt !== null && startAt > now ? " from startAt on" : "";
    const message = `${iso(endAt)} leaves no occurrence${from}; without it the next one is at ${iso(first)}`;
    return { field: "endAt", message };
  }
  const unbounded = nextTime(schedule, now);
  if (startAt !== null && unbounded !== null) {
    const message = `${iso(startAt)} leaves no occurrence; without it the next one is at ${iso(unbounded)}`;
    return { field: "startAt", message };
  }
  return { field: schedule.kind, message: `has no occurrence after ${iso(now)}` };
}

function nextTime(schedule: RecurringSchedule, after: number): number | null {
  return nextOccurrenceOrDropped(schedule, after)?.time ?? null;
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
