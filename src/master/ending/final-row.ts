/** The rows by which a master ends claims. */
import { isEverDue, type JobRecord, OUTCOME, type ResultRecord, STORED_STATUS } from "../../core/job.ts";

export interface EndDetails {
  readonly reason: string;
  readonly retryAt: number | null;
  readonly skippedThrough?: number | null;
  readonly skippedCount?: number;
}

/**
 * The row by which a master ends the newest claim of a job. A RUNNING job was last changed when it was claimed, or
 * after that by a caller: as near as the master knows to when its handler was called.
 */
export function finalRow(
  record: JobRecord,
  outcome: typeof OUTCOME.LOST | typeof OUTCOME.SKIPPED | typeof OUTCOME.CANCELLED,
  now: number,
  details: EndDetails,
): ResultRecord {
  return {
    jobId: record.id,
    claim: record.claim,
    late: false,
    outcome,
    attempt: record.attempt,
    scheduledAt: record.scheduledAt,
    startTime: record.status === STORED_STATUS.RUNNING ? Math.min(record.updateTime, now) : now,
    endTime: now,
    retryAt: details.retryAt,
    node: record.node,
    placement: "",
    output: null,
    error: null,
    reason: details.reason,
    skippedThrough: details.skippedThrough ?? null,
    skippedCount: details.skippedCount ?? 0,
  };
}

/**
 * A master died between its claim for nobody and the row that was to skip or cancel the occurrence: the
 * job is as it was before that, with its next try due when it was, and the occurrence is judged anew.
 */
export function notEnded(record: JobRecord, now: number): ResultRecord {
  const retryAt = isEverDue(record.at) ? Math.max(record.at, now) : now;
  const details = { reason: "the master that was to end it is gone", retryAt };
  return { ...finalRow(record, OUTCOME.LOST, now, details), attempt: 0 };
}
