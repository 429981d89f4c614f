/** A row of `jobresult`, to and from a ResultRecord. */
import { type JobError, OUTCOME, type Outcome, type ResultRecord } from "../core/job.ts";
import type { SqlValue } from "./dialect.ts";

export interface ResultRow {
  readonly job_id: number;
  readonly claim: number;
  readonly late: number;
  readonly outcome: Outcome;
  readonly attempt: number;
  readonly scheduled_at: number;
  readonly start_time: number;
  readonly end_time: number;
  readonly retry_at: number | null;
  readonly node: number;
  readonly epoch: number;
  readonly placement: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly reason: string;
  readonly skipped_through: number | null;
  readonly skipped_count: number;
}

/** In the order of `pushResult`. */
export const RESULT_COLUMNS = [
  "job_id",
  "claim",
  "late",
  "outcome",
  "attempt",
  "scheduled_at",
  "start_time",
  "end_time",
  "retry_at",
  "node",
  "epoch",
  "placement",
  "output",
  "error",
  "reason",
  "skipped_through",
  "skipped_count",
] as const satisfies readonly (keyof ResultRow)[];

export const SELECT_RESULT = RESULT_COLUMNS.join(", ");

/** Appends the row's values. `epoch`: of the master that writes; 0: a node does. */
export function pushResult(values: SqlValue[], result: ResultRecord, late: boolean, epoch: number): void {
  values.push(
    result.jobId,
    result.claim,
    late ? 1 : 0,
    result.outcome,
    result.attempt,
    result.scheduledAt,
    result.startTime,
    result.endTime,
    result.retryAt,
    result.node,
    epoch,
    result.placement,
    result.output,
    result.error === null ? null : JSON.stringify(result.error),
    result.reason,
    result.skippedThrough,
    result.skippedCount,
  );
}

/**
 * What the row of a handler that has succeeded, written by its node, has in all columns but those of
 * `pushSuccess`. Most rows are such.
 */
export const SUCCESS = {
  late: "0",
  outcome: `${OUTCOME.SUCCEEDED}`,
  retry_at: "NULL",
  epoch: "0",
  error: "NULL",
  reason: "''",
  skipped_through: "NULL",
  skipped_count: "0",
} as const satisfies Partial<Record<keyof ResultRow, string>>;

export function isSuccess(result: ResultRecord, late: boolean, epoch: number): boolean {
  return (
    result.outcome === OUTCOME.SUCCEEDED &&
    !late &&
    epoch === 0 &&
    result.retryAt === null &&
    result.error === null &&
    result.reason === "" &&
    result.skippedThrough === null &&
    result.skippedCount === 0
  );
}

/** Appends the values of the columns that `SUCCESS` leaves open. */
export function pushSuccess(values: SqlValue[], result: ResultRecord): void {
  values.push(
    result.jobId,
    result.claim,
    result.attempt,
    result.scheduledAt,
    result.startTime,
    result.endTime,
    result.node,
    result.placement,
    result.output,
  );
}

export function resultOfRow(row: ResultRow): ResultRecord {
  return {
    jobId: row.job_id,
    claim: row.claim,
    late: row.late === 1,
    outcome: row.outcome,
    attempt: row.attempt,
    scheduledAt: row.scheduled_at,
    startTime: row.start_time,
    endTime: row.end_time,
    retryAt: row.retry_at,
    node: row.node,
    placement: row.placement,
    output: row.output,
    error: row.error === null ? null : (JSON.parse(row.error) as JobError),
    reason: row.reason,
    skippedThrough: row.skipped_through,
    skippedCount: row.skipped_count,
  };
}

/** What names a row's writer: the columns that tell an own row from another's. */
export type WriterColumns = Pick<
  ResultRow,
  "job_id" | "claim" | "late" | "outcome" | "start_time" | "end_time" | "node" | "epoch"
>;
export const SELECT_WRITER = "job_id, claim, late, outcome, start_time, end_time, node, epoch";

/** Whether the stored row is this very result, from an earlier try whose answer was lost. */
export function isOwnRow(row: WriterColumns, result: ResultRecord, epoch: number): boolean {
  return (
    row.epoch === epoch &&
    row.node === result.node &&
    row.outcome === result.outcome &&
    row.start_time === result.startTime &&
    row.end_time === result.endTime
  );
}

/** A node's late row is kept, unless it only says that nothing came of the claim. */
export function isKeptLate(result: ResultRecord): boolean {
  return result.outcome !== OUTCOME.LOST && result.outcome !== OUTCOME.CANCELLED;
}
