/** A row of `jobresult`, to and from a ResultRecord. */
import { type JobError, OUTCOME, type ResultRecord } from "../core/job.ts";
import type { ReadColumn, RowOf } from "./column-list.ts";

/** Each statement about results, and its values, are made of this list. */
const RESULT = {
  job_id: (result: ResultRecord) => result.jobId,
  claim: (result: ResultRecord) => result.claim,
  late: (result: ResultRecord) => (result.late ? 1 : 0),
  outcome: (result: ResultRecord) => result.outcome,
  attempt: (result: ResultRecord) => result.attempt,
  scheduled_at: (result: ResultRecord) => result.scheduledAt,
  start_time: (result: ResultRecord) => result.startTime,
  end_time: (result: ResultRecord) => result.endTime,
  retry_at: (result: ResultRecord) => result.retryAt,
  node: (result: ResultRecord) => result.node,
  // It is the epoch of the master that writes the row; 0: a node does.
  epoch: (_: ResultRecord, epoch: number) => epoch,
  placement: (result: ResultRecord) => result.placement,
  output: (result: ResultRecord) => result.output,
  error: ({ error }: ResultRecord) => (error === null ? null : JSON.stringify(error)),
  reason: (result: ResultRecord) => result.reason,
  skipped_through: (result: ResultRecord) => result.skippedThrough,
  skipped_count: (result: ResultRecord) => result.skippedCount,
};

export type ResultRow = RowOf<typeof RESULT>;
type ResultColumn = keyof ResultRow;

export const RESULT_COLUMNS = Object.keys(RESULT) as ResultColumn[];
export const RESULT_VALUES: readonly ReadColumn<ResultRecord>[] = Object.values(RESULT);
export const SELECT_RESULT = RESULT_COLUMNS.join(", ");

/**
 * What the row of a handler that has succeeded, written by its node, has in all columns but those of
 * `SUCCESS_VALUES`. Most rows are such.
 */
export const SUCCESS: Partial<Readonly<Record<ResultColumn, string>>> = {
  late: "0",
  outcome: `${OUTCOME.SUCCEEDED}`,
  retry_at: "NULL",
  epoch: "0",
  error: "NULL",
  reason: "''",
  skipped_through: "NULL",
  skipped_count: "0",
};
export const SUCCESS_VALUES: readonly ReadColumn<ResultRecord>[] = RESULT_COLUMNS.filter(
  (name) => SUCCESS[name] === undefined,
).map((name) => RESULT[name]);

export function isSuccess(result: ResultRecord, epoch: number): boolean {
  return (
    result.outcome === OUTCOME.SUCCEEDED &&
    !result.late &&
    epoch === 0 &&
    result.retryAt === null &&
    result.error === null &&
    result.reason === "" &&
    result.skippedThrough === null &&
    result.skippedCount === 0
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
const WRITER_COLUMNS = [
  "job_id",
  "claim",
  "late",
  "outcome",
  "start_time",
  "end_time",
  "node",
  "epoch",
] as const satisfies readonly ResultColumn[];
export type WriterColumns = Pick<ResultRow, (typeof WRITER_COLUMNS)[number]>;
export const SELECT_WRITER = WRITER_COLUMNS.join(", ");

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
