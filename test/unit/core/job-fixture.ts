/** Rows of jobs and results for tests of all rooms, plain but for what a test says. */
import {
  type JobRecord,
  type JobSpec,
  NO_BOUNDS,
  OUTCOME,
  type ResultRecord,
  STORED_STATUS,
} from "../../../src/core/job.ts";

export const NOW = Date.parse("2026-06-01T12:00:00Z");

export function specOf(fields: Partial<JobSpec> = {}): JobSpec {
  return {
    name: "a job",
    handler: "echo",
    payload: null,
    schedule: { kind: "immediate" },
    bounds: NO_BOUNDS,
    jitterMs: 0,
    misfire: "once",
    overlap: "wait",
    deadlineMs: null,
    priority: 0,
    timeoutMs: null,
    retry: { maxAttempts: 0, initialBackoffMs: 1000, maxBackoffMs: 100_000, multiplier: 2 },
    requirements: { slots: 1, memoryMb: 0, labels: {} },
    idempotencyKey: null,
    keyLife: "kept",
    ...fields,
  };
}

export const EVERY_MINUTE: JobSpec["schedule"] = { kind: "cron", expression: "* * * * *", timeZone: "UTC" };

/** A job that waits and was due at `NOW`. */
export function recordOf(fields: Partial<JobRecord> = {}): JobRecord {
  return {
    id: 1,
    classId: 1,
    status: STORED_STATUS.WAITING,
    at: NOW,
    scheduledAt: NOW,
    attempt: 0,
    failures: 0,
    lost: 0,
    endedAt: 0,
    claim: 0,
    revision: 0,
    node: 0,
    parentId: 0,
    createTime: NOW - 1000,
    updateTime: NOW - 1000,
    spec: specOf(),
    ...fields,
  };
}

/** The first claim of a job that succeeded in 10 ms, on node 1. */
export function resultOf(fields: Partial<ResultRecord> = {}): ResultRecord {
  return {
    jobId: 1,
    claim: 1,
    late: false,
    outcome: OUTCOME.SUCCEEDED,
    attempt: 1,
    scheduledAt: NOW,
    startTime: NOW + 10,
    endTime: NOW + 20,
    retryAt: null,
    node: 1,
    placement: "",
    output: null,
    error: null,
    reason: "",
    skippedThrough: null,
    skippedCount: 0,
    ...fields,
  };
}
