/** Which occurrence of a job comes when: the schedule, within its bounds, with its jitter. */
import type { JobRecord, JobSpec, ResultRecord } from "./job.ts";
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
    at: scheduledAt + jitterOf(id, scheduledAt, spec.jitterMs),
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

/**
 * The same for the same job and occurrence, whoever computes it and however often: 0 to `jitterMs`,
 * from the finalizer of MurmurHash3 over both.
 */
function jitterOf(id: number, scheduledAt: number, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  let hash = mix((id % 2 ** 32) ^ Math.floor(id / 2 ** 32));
  hash = mix(hash ^ (scheduledAt % 2 ** 32) ^ Math.floor(scheduledAt / 2 ** 32));
  return Math.floor(((hash >>> 0) / 2 ** 32) * (jitterMs + 1));
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
