import type { JobRecord, ResultRecord } from "./job.ts";
import { nextOccurrence } from "./schedule.ts";

/** The occurrence that follows one of a job; null: there is none. */
export function nextAfter(record: Pick<JobRecord, "spec">, scheduledAt: number): number | null {
  const { startsAt, schedule } = record.spec;
  // The schedule was changed while an older occurrence ran.
  if (startsAt !== undefined && scheduledAt < startsAt) return startsAt;
  return nextOccurrence(schedule, scheduledAt);
}

/** The occurrence that follows those that a final row ended. */
export function nextAfterRow(record: JobRecord, row: Pick<ResultRecord, "skippedThrough">): number | null {
  return nextAfter(record, row.skippedThrough ?? record.scheduledAt);
}
