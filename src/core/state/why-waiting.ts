import { type JobRecord, OUTCOME, type ResultRecord, STORED_STATUS } from "../job.ts";

/** Why a job is not due yet, where that is not plain from its schedule; empty otherwise. */
export function whyWaiting(record: Pick<JobRecord, "status" | "failures" | "attempt">): string {
  if (record.status !== STORED_STATUS.WAITING) return "";
  if (record.failures === 1) return "retry after 1 failed attempt";
  if (record.failures > 1) return `retry after ${record.failures} failed attempts`;
  return record.attempt > 0 ? "retry: its node or thread was lost" : "";
}

/** Why a job is RUNNING whose newest claim has its final row already; empty: it has none, or one that is about to count. */
export function whyStillRunning(
  { status, claim }: Pick<JobRecord, "status" | "claim">,
  last: Pick<ResultRecord, "claim" | "outcome"> | null,
): string {
  const isCancelled = last?.claim === claim && last.outcome === OUTCOME.CANCELLED;
  return status === STORED_STATUS.RUNNING && isCancelled ? "cancelled: its handler has not ended yet" : "";
}
