/** What becomes of an occurrence that is due: whether it is still to be run, or was missed. */
import { type JobRecord, STORED_STATUS } from "./job.ts";
import { nextOccurrence } from "./schedule.ts";

/** An occurrence is missed when it is unclaimed so long after its time, or when the next one is due. */
export const MISSED_AFTER_MS = 60_000;

/** How many occurrences one decision looks at, so that it takes milliseconds at most. */
const MAX_OCCURRENCES = 5000;

export type DueDecision =
  | { readonly kind: "run" }
  | {
      readonly kind: "skip";
      /** The first and the last occurrence skipped, and how many. */
      readonly from: number;
      readonly through: number;
      readonly count: number;
      /** `overlap`: they fell due while the one before them ran. */
      readonly reason: "misfire" | "overlap";
      /** The occurrence that comes after them; null: none. */
      readonly nextAt: number | null;
    };

/** `record` is WAITING and due at `now`. */
export function decideDue(record: JobRecord, now: number): DueDecision {
  const { schedule, misfire } = record.spec;
  const recurring = schedule.kind === "daily" || schedule.kind === "cron";
  // A retry belongs to an occurrence that has begun; one-shot jobs run however late it is.
  if (!recurring || misfire === "all" || record.attempt > 0 || record.status !== STORED_STATUS.WAITING) {
    return { kind: "run" };
  }
  const from = record.scheduledAt;
  const overlapped = record.claim > 0 && from < record.updateTime;

  // The last occurrence that is due, and the one before it.
  let last = from;
  let beforeLast: number | null = null;
  let count = 1;
  let nextAt = nextOccurrence(schedule, last);
  while (nextAt !== null && nextAt <= now && count < MAX_OCCURRENCES) {
    beforeLast = last;
    last = nextAt;
    count++;
    nextAt = nextOccurrence(schedule, last);
  }
  const reason = overlapped ? "overlap" : "misfire";
  const lastIsMissed = now - last > MISSED_AFTER_MS || (nextAt !== null && nextAt <= now);
  if (misfire === "skip" && lastIsMissed && !overlapped) {
    return { kind: "skip", from, through: last, count, reason, nextAt };
  }
  if (beforeLast === null) return { kind: "run" };
  return { kind: "skip", from, through: beforeLast, count: count - 1, reason, nextAt: last };
}
