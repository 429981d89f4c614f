/** A job as callers see it. */
import { create } from "@bufbuild/protobuf";
import { type JobRecord, NEVER, STORED_STATUS } from "../../core/job.ts";
import { nextAfter } from "../../core/next-due.ts";
import { isRecurring } from "../../core/schedule.ts";
import {
  type Job,
  JobSchema,
  JobStatus,
  Misfire,
  RequirementsSchema,
  RetryPolicySchema,
} from "../../gen/elasticjob/v1/job_pb.ts";
import type { JobView } from "../../master/job-api.ts";
import { misfireToEnum } from "./enum-names.ts";
import { jobIdToString } from "./job-id.ts";
import { valueFromJsonText } from "./json-value.ts";
import { durationOf, timestampOf } from "./proto-time.ts";
import { scheduleToMessage } from "./schedule-message.ts";

/** `nodeName` turns a node's number into its name. */
export function jobToMessage(view: JobView, nodeName: (node: number) => string): Job {
  const { record } = view;
  const { spec } = record;
  const { retry, requirements } = spec;
  const payload = valueFromJsonText(spec.payload);
  const nextRunAt = nextRunOf(record);
  const isRunning = record.status === STORED_STATUS.RUNNING;
  return create(JobSchema, {
    jobId: jobIdToString(record.id),
    name: spec.name,
    handler: spec.handler,
    ...(payload && { payload }),
    schedule: scheduleToMessage(spec.schedule),
    // Unset where it means nothing, so that a job as it was read is accepted by UpdateJob.
    misfire: isRecurring(spec.schedule) ? misfireToEnum(spec.misfire) : Misfire.UNSPECIFIED,
    priority: spec.priority,
    ...(spec.timeoutMs !== null && { timeout: durationOf(spec.timeoutMs) }),
    retry: create(RetryPolicySchema, {
      maxAttempts: retry.maxAttempts,
      initialBackoff: durationOf(retry.initialBackoffMs),
      maxBackoff: durationOf(retry.maxBackoffMs),
      multiplier: retry.multiplier,
    }),
    requirements: create(RequirementsSchema, {
      slots: requirements.slots,
      memoryMb: requirements.memoryMb,
      labels: { ...requirements.labels },
    }),
    idempotencyKey: spec.idempotencyKey ?? "",
    status: view.prepared ? JobStatus.PREPARED : record.status,
    attempt: record.attempt,
    revision: record.revision,
    ...(nextRunAt !== null && { nextRunAt: timestampOf(nextRunAt) }),
    nodeId: isRunning && record.node !== 0 ? nodeName(record.node) : "",
    reason: view.reason,
    createTime: timestampOf(record.createTime),
    updateTime: timestampOf(record.updateTime),
  });
}

/** While a job runs, `at` is still the occurrence that runs; what is due next is the one after it. */
function nextRunOf(record: JobRecord): number | null {
  if (record.status === STORED_STATUS.RUNNING) {
    return nextAfter(record, record.scheduledAt);
  }
  return record.status === STORED_STATUS.WAITING && record.at < NEVER ? record.at : null;
}
