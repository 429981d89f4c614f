/** What becomes of a job's next occurrence when the rules of its time zone have changed. */
import { jitterOf } from "../calendar/jitter.ts";
import {
  countOccurrences,
  isRecurring,
  nextOccurrenceOrDropped,
  type RecurringSchedule,
  timeZoneOf,
} from "../calendar/schedule.ts";
import { type JobRecord, STORED_STATUS } from "../job.ts";

/** No zone is moved by more than a day and two hours, across the date line. */
const MOST_MS = 26 * 3_600_000;

/** Whether changes of a zone's rules can matter to it. */
export function followsZone({ spec: { schedule } }: JobRecord): boolean {
  return isRecurring(schedule) && timeZoneOf(schedule) !== "UTC";
}

/**
 * The row with its occurrence at the same local time by the present rules; null: it stays as it is. What is due, or has
 * been tried, is not moved. Moving it again changes nothing.
 */
export function moveOccurrence(record: JobRecord, now: number): JobRecord | null {
  const { schedule, bounds, jitterMs } = record.spec;
  const isPaused = record.status === STORED_STATUS.PAUSED;
  if (!isRecurring(schedule) || !(isPaused || record.status === STORED_STATUS.WAITING)) return null;
  if (record.attempt > 0 || record.scheduledAt <= now) return null;
  const lastAt =
    bounds.maxOccurrences === null || bounds.lastAt === null
      ? bounds.lastAt
      : Math.min(nearest(schedule, bounds.lastAt), bounds.endAt ?? Number.POSITIVE_INFINITY);
  const moved = nearest(schedule, record.scheduledAt);
  // That one falls before the job begins by the present rules; the first that does not is its first.
  const scheduledAt =
    bounds.startAt !== null && moved < bounds.startAt
      ? (nextOccurrenceOrDropped(schedule, bounds.startAt - 1)?.time ?? moved)
      : moved;
  // Of a job whose last one would fall after its end, it is run when it was to be: it would else never end.
  if (
    scheduledAt > (lastAt ?? scheduledAt) ||
    (scheduledAt === record.scheduledAt && lastAt === bounds.lastAt)
  )
    return null;
  return {
    ...record,
    spec: { ...record.spec, bounds: { ...bounds, lastAt } },
    scheduledAt,
    at: isPaused ? record.at : scheduledAt + jitterOf(record.id, schedule, scheduledAt, jitterMs),
  };
}

/**
 * The occurrence nearest to an instant, of two as near the later one: zones are moved by less than recurring
 * jobs are apart, as a rule, so it is the same one, by the local clock. Itself, where there is none near.
 */
function nearest(schedule: RecurringSchedule, instant: number): number {
  const next = nextOccurrenceOrDropped(schedule, instant - 1)?.time ?? Number.POSITIVE_INFINITY;
  if (next === instant) return instant;
  const before = countOccurrences(schedule, instant - MOST_MS, instant - 1).last ?? Number.NEGATIVE_INFINITY;
  const found = instant - before < next - instant ? before : next;
  return Math.abs(found - instant) <= MOST_MS ? found : instant;
}
