import { type JobRecord, STORED_STATUS } from "./job.ts";

/** Why a job is not due yet, where that is not plain from its schedule; empty otherwise. */
export function whyWaiting(record: Pick<JobRecord, "status" | "failures" | "attempt">): string {
  if (record.status !== STORED_STATUS.WAITING) return "";
  if (record.failures === 1) return "retry after 1 failed attempt";
  if (record.failures > 1) return `retry after ${record.failures} failed attempts`;
  return record.attempt > 0 ? "retry: its node or thread was lost" : "";
}
