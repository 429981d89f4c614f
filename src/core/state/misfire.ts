/** What becomes of an occurrence that is due: whether it is to be run, beside its job or by it, or was missed. */
import { MISSED_AFTER_MS } from "../calendar/jitter.ts";
import { type Due, nextDue } from "../calendar/next-due.ts";
import { countOccurrences, isRecurring } from "../calendar/schedule.ts";
import type { JobRecord, ResultRecord } from "../job.ts";
import { unknownZoneOf } from "./unknown-zone.ts";

/** Occurrences looked at one by one; where there are more they are counted, so that a decision takes milliseconds. */
const MOST_STEPS = 100;
/** Counting takes a step for each day: a longer run of skips makes several decisions, and rows. */
const MOST_COUNTED_MS = 10 * 366 * 86_400_000;

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
    (isTooLate ? skipTooLate(record, now - deadlineMs - 1) : null) ??
    (record.spec.overlap === "allow"
      ? { kind: "spawn", next: nextDue(record, record.scheduledAt) }
      : { kind: "run" })
  );
}

type Skip = Extract<DueDecision, { kind: "skip" }> | null;

function skipPaused(record: JobRecord, now: number): Skip {
  const { resumedAt } = record.spec;
  if (resumedAt === undefined || dueAt(record) > resumedAt) return null;
  const run = runOf(record, Math.min(now, resumedAt));
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
  if (!fellDueBesideAnother(record)) return null;
  // All that were missed have fallen due before the first of them has ended: each waits for the one before it.
  if (overlap === "wait" && misfire === "all") return null;
  const run = runOf(record, Math.min(now, record.endedAt - 1));
  if (overlap === "skip") return skip(record, run.last, run.count, "overlap");
  return run.beforeLast === null ? null : skip(record, run.beforeLast, run.count - 1, "overlap");
}

/** Before the one before it had ended. */
function fellDueBesideAnother(record: JobRecord): boolean {
  return record.spec.overlap !== "allow" && dueAt(record) < record.endedAt;
}

/**
 * Whether an occurrence that is to be skipped as overlapping is to run all the same: with misfire `all`, when
 * it was due before the run that it waited for began. It had been missed by then, and is made up for; what falls
 * due while one runs that began in time is overlap. `lastRun`: the newest result of the job that a node had a part in.
 */
export function isToBeMadeUpFor(
  record: JobRecord,
  { reason }: Extract<DueDecision, { kind: "skip" }>,
  lastRun: Pick<ResultRecord, "startTime"> | null,
): boolean {
  return (
    reason === "overlap" &&
    record.spec.misfire === "all" &&
    lastRun !== null &&
    dueAt(record) <= lastRun.startTime
  );
}

function skipMissed(record: JobRecord, now: number): Skip {
  const { misfire } = record.spec;
  if (misfire === "all" || fellDueBesideAnother(record)) return null;
  const run = runOf(record, now);
  const isLastMissed = now - run.lastAt > MISSED_AFTER_MS || (run.next !== null && run.next.at <= now);
  if (misfire === "skip" && isLastMissed) return skip(record, run.last, run.count, "misfire");
  return run.beforeLast === null ? null : skip(record, run.beforeLast, run.count - 1, "misfire");
}

/** All that were due by then: with misfire `all`, one after another would be. */
function skipTooLate(record: JobRecord, by: number): Skip {
  const run = runOf(record, by);
  return skip(record, run.last, run.count, "deadline");
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

/** The occurrences from the record's on that are due by an instant. */
function runOf(record: JobRecord, by: number): Run {
  const near = stepOn(record, { last: record.scheduledAt, beforeLast: null, count: 1 }, by);
  if (near.next === null || near.next.at > by) return near;
  // Many: they are counted up to the last but one, which is due for certain, as it is due before the next one's time.
  return stepOn(record, countOn(record, near, by), by);
}

type Counted = Pick<Run, "last" | "beforeLast" | "count">;

function stepOn(record: JobRecord, from: Counted, by: number): Run {
  let { last, beforeLast, count } = from;
  let lastAt = dueAt({ ...record, scheduledAt: last });
  let next = nextDue(record, last);
  for (let steps = 0; next !== null && next.at <= by && steps < MOST_STEPS; steps++) {
    beforeLast = last;
    last = next.scheduledAt;
    lastAt = next.at;
    count++;
    next = nextDue(record, last);
  }
  return { last, lastAt, beforeLast, count, next };
}

function countOn({ spec: { schedule, bounds } }: JobRecord, from: Counted, by: number): Counted {
  if (!isRecurring(schedule)) return from;
  const through = Math.min(by, bounds.lastAt ?? by, from.last + MOST_COUNTED_MS);
  const { beforeLast } = countOccurrences(schedule, from.last, through);
  if (beforeLast === null) return from;
  const counted = countOccurrences(schedule, from.last, beforeLast);
  return { count: from.count + counted.count, last: beforeLast, beforeLast: counted.beforeLast ?? from.last };
}

function skip(record: JobRecord, through: number, count: number, reason: SkipReason): Skip {
  return { kind: "skip", reason, from: record.scheduledAt, through, count };
}

function skipOne(record: JobRecord, reason: SkipReason): NonNullable<Skip> {
  return { kind: "skip", reason, from: record.scheduledAt, through: record.scheduledAt, count: 1 };
}

/** When the occurrence was due at first: `at` moves with each retry. */
export function dueAt(record: Pick<JobRecord, "id" | "spec" | "scheduledAt">): number {
  if (record.spec.jitterMs === 0 || unknownZoneOf(record.spec) !== null) return record.scheduledAt;
  return nextDue(record, record.scheduledAt - 1)?.at ?? record.scheduledAt;
}
