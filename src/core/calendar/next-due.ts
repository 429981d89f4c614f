/** Which occurrence of a job comes when: the schedule, within its bounds, with its jitter. */

import type { JobRecord, JobSpec, ResultRecord } from "../job.ts";
import { jitterOf } from "./jitter.ts";
import { isRecurring, nextOccurrenceOrDropped } from "./schedule.ts";

export interface Due {
  /** The occurrence: its time as the schedule names it. */
  readonly scheduledAt: number;
  /** When it is due: later than its time by the job's jitter. */
  readonly at: number;
  /** A change of the clocks dropped it: it is to be recorded as SKIPPED. */
  readonly isDropped: boolean;
}

interface Scheduled {
  readonly id: number;
  readonly spec: Pick<JobSpec, "schedule" | "bounds" | "jitterMs" | "startsAt">;
}

/** The occurrence after an instant; null: there is none. */
export function nextDue({ id, spec }: Scheduled, after: number): Due | null {
  const { schedule, bounds, startsAt } = spec;
  // The schedule was changed while an older occurrence ran.
  const isFresh = startsAt !== undefined && after < startsAt;
  if (!isRecurring(schedule)) {
    return isFresh ? { scheduledAt: startsAt, at: startsAt, isDropped: false } : null;
  }
  const from = Math.max(after, isFresh ? startsAt - 1 : after, (bounds.startAt ?? after) - 1);
  const occurrence = nextOccurrenceOrDropped(schedule, from);
  if (occurrence === null || (bounds.lastAt !== null && occurrence.time > bounds.lastAt)) return null;
  const scheduledAt = occurrence.time;
  return {
    scheduledAt,
    at: scheduledAt + jitterOf(id, schedule, scheduledAt, spec.jitterMs),
    isDropped: occurrence.change === "dropped",
  };
}

/** The first occurrence of a job whose schedule is set at `now`; null: a recurring one that is over. */
export function firstDue({ id, spec }: Scheduled, now: number): Due | null {
  const { schedule } = spec;
  if (isRecurring(schedule)) {
    const { startsAt: _, ...fresh } = spec;
    return nextDue({ id, spec: fresh }, now);
  }
  const at = schedule.kind === "timed" ? Math.max(schedule.runAt, now) : now;
  return { scheduledAt: at, at, isDropped: false };
}

/** The occurrence that follows those that a final row ended. */
export function nextDueAfterRow(record: JobRecord, row: Pick<ResultRecord, "skippedThrough">): Due | null {
  return nextDue(record, row.skippedThrough ?? record.scheduledAt);
}
