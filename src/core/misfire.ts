/** What becomes of an occurrence that is due: whether it is to be run, beside its job or by it, or was missed. */
import type { JobRecord } from "./job.ts";
import { type Due, nextDue } from "./next-due.ts";
import { isRecurring } from "./schedule.ts";

/** An occurrence is missed when it is unclaimed so long after its time, or when the next one is due. */
export const MISSED_AFTER_MS = 60_000;

/** How many occurrences one decision looks at, so that it takes milliseconds; what is left is decided next. */
const MAX_OCCURRENCES = 5000;

/**
 * `misfire`: nothing could run them in time. `overlap`: they fell due while the one before them ran.
 * `paused`: while the job was. `gap`: a change of the clocks dropped it. `deadline`: too late to be worth it.
 */
export type SkipReason = "misfire" | "overlap" | "paused" | "gap" | "deadline";

export type DueDecision =
  | { readonly kind: "run" }
  /** As a job of its own; the parent goes on with the next occurrence. */
  | { readonly kind: "spawn"; readonly next: Due | null }
  | {
      readonly kind: "skip";
      readonly reason: SkipReason;
      /** The first and the last occurrence skipped, and how many. */
      readonly from: number;
      readonly through: number;
      readonly count: number;
    };

/** `record` is WAITING and due at `now`. */
export function decideDue(record: JobRecord, now: number): DueDecision {
  const { schedule, deadlineMs } = record.spec;
  const isTooLate = deadlineMs !== null && now > dueAt(record) + deadlineMs;
  if (!isRecurring(schedule) || record.attempt > 0) {
    // An occurrence that has begun is retried, and a job that runs once runs, however late.
    return isTooLate ? skipOne(record, "deadline") : { kind: "run" };
  }
  return (
    skipPaused(record, now) ??
    skipDropped(record) ??
    skipOverlapped(record, now) ??
    skipMissed(record, now) ??
    (isTooLate ? skipOne(record, "deadline") : null) ??
    (record.spec.overlap === "allow"
      ? { kind: "spawn", next: nextDue(record, record.scheduledAt) }
      : { kind: "run" })
  );
}

type Skip = Extract<DueDecision, { kind: "skip" }> | null;

function skipPaused(record: JobRecord, now: number): Skip {
  const { resumedAt } = record.spec;
  if (resumedAt === undefined || record.scheduledAt > resumedAt) return null;
  const run = runOf(record, now, (scheduledAt) => scheduledAt <= resumedAt);
  return skip(record, run.last, run.count, "paused");
}

function skipDropped(record: JobRecord): Skip {
  const { schedule } = record.spec;
  if (schedule.kind !== "daily" || schedule.gap !== "skip") return null;
  const due = nextDue(record, record.scheduledAt - 1);
  return due?.isDropped && due.scheduledAt === record.scheduledAt ? skipOne(record, "gap") : null;
}

/** Occurrences that fell due before the one before them had ended: the last waits, or none runs. */
function skipOverlapped(record: JobRecord, now: number): Skip {
  const { overlap, misfire } = record.spec;
  if (overlap === "allow" || record.scheduledAt >= record.endedAt) return null;
  // All that were missed have fallen due before the first of them has ended: each waits for the one before it.
  if (overlap === "wait" && misfire === "all") return null;
  const run = runOf(record, now, (scheduledAt) => scheduledAt < record.endedAt);
  if (overlap === "skip") return skip(record, run.last, run.count, "overlap");
  return run.beforeLast === null ? null : skip(record, run.beforeLast, run.count - 1, "overlap");
}

function skipMissed(record: JobRecord, now: number): Skip {
  const { misfire, overlap } = record.spec;
  const hasWaited = overlap !== "allow" && record.scheduledAt < record.endedAt;
  if (misfire === "all" || hasWaited) return null;
  const run = runOf(record, now, () => true);
  const isLastMissed = now - run.lastAt > MISSED_AFTER_MS || (run.next !== null && run.next.at <= now);
  if (misfire === "skip" && isLastMissed) return skip(record, run.last, run.count, "misfire");
  return run.beforeLast === null ? null : skip(record, run.beforeLast, run.count - 1, "misfire");
}

interface Run {
  readonly last: number;
  /** When the last was due. */
  readonly lastAt: number;
  readonly beforeLast: number | null;
  readonly count: number;
  /** The occurrence after the last. */
  readonly next: Due | null;
}

/** The occurrences from the record's on that are due, as long as the condition holds. */
function runOf(record: JobRecord, now: number, holds: (scheduledAt: number) => boolean): Run {
  let last = record.scheduledAt;
  let lastAt = dueAt(record);
  let beforeLast: number | null = null;
  let count = 1;
  let next = nextDue(record, last);
  while (next !== null && next.at <= now && holds(next.scheduledAt) && count < MAX_OCCURRENCES) {
    beforeLast = last;
    last = next.scheduledAt;
    lastAt = next.at;
    count++;
    next = nextDue(record, last);
  }
  return { last, lastAt, beforeLast, count, next };
}

function skip(record: JobRecord, through: number, count: number, reason: SkipReason): Skip {
  return { kind: "skip", reason, from: record.scheduledAt, through, count };
}

function skipOne(record: JobRecord, reason: SkipReason): NonNullable<Skip> {
  return { kind: "skip", reason, from: record.scheduledAt, through: record.scheduledAt, count: 1 };
}

/** When the occurrence was due at first: `at` moves with each retry. */
export function dueAt(record: Pick<JobRecord, "id" | "spec" | "scheduledAt">): number {
  if (record.spec.jitterMs === 0) return record.scheduledAt;
  return nextDue(record, record.scheduledAt - 1)?.at ?? record.scheduledAt;
}
