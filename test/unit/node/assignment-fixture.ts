import type { Assignment } from "../../../src/coordination/assignment.ts";

/** The first claim of a job that runs once, on one slot, at once. */
export function assignmentOf(fields: Partial<Assignment> = {}): Assignment {
  return {
    jobId: 1,
    claim: 1,
    revision: 1,
    attempt: 1,
    failures: 0,
    lost: 0,
    name: "",
    handler: "work",
    payload: "",
    scheduledAt: 0,
    timeoutMs: 0,
    slots: 1,
    nextScheduledAt: null,
    nextDueAt: 0,
    lastRetryAt: null,
    retryDelayMs: null,
    placement: "",
    startAt: 0,
    ...fields,
  };
}
