/** A job as callers see it. */
import { create } from "@bufbuild/protobuf";
import { nextDue } from "../../core/calendar/next-due.ts";
import { isRecurring } from "../../core/calendar/schedule.ts";
import { isEverDue, type JobRecord, type JobSpec, STORED_STATUS } from "../../core/job.ts";
import type { Progress } from "../../core/log/progress.ts";
import { unknownZoneOf } from "../../core/state/unknown-zone.ts";
import {
  type Job,
  JobProgressSchema,
  JobSchema,
  JobStatus,
  RequirementsSchema,
  RetryPolicySchema,
} from "../../gen/elasticjob/v1/job_pb.ts";
import type { JobView } from "../../master/job-api.ts";
import { keyLifeToEnum, misfireToEnum, overlapToEnum } from "./enum-names.ts";
import { jobIdToString } from "./job-id.ts";
import { carriedJson } from "./json-value.ts";
import { durationOf, timestampOf } from "./proto-time.ts";
import { scheduleToMessage } from "./schedule-message.ts";

/** `nodeName` turns a node's number into its name. */
export function jobToMessage(view: JobView, nodeName: (node: number) => string): Job {
  const { record } = view;
  const { spec } = record;
  const { retry, requirements } = spec;
  const { value: payload, text: payloadJson } = carriedJson(spec.payload);
  const nextRunAt = nextRunOf(record);
  const isRunning = record.status === STORED_STATUS.RUNNING;
  return create(JobSchema, {
    jobId: jobIdToString(record.id),
    name: spec.name,
    handler: spec.handler,
    ...(payload && { payload }),
    ...(payloadJson !== undefined && { payloadJson }),
    schedule: scheduleToMessage(spec.schedule),
    ...(isRecurring(spec.schedule) && recurringFields(spec)),
    ...(spec.deadlineMs !== null && { deadline: durationOf(spec.deadlineMs) }),
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
    ...(spec.idempotencyKey !== null && keyFields(spec)),
    status: view.prepared ? JobStatus.PREPARED : record.status,
    attempt: record.attempt,
    revision: record.revision,
    ...(nextRunAt !== null && { nextRunAt: timestampOf(nextRunAt) }),
    nodeId: isRunning && record.node !== 0 ? nodeName(record.node) : "",
    reason: view.reason,
    createTime: timestampOf(record.createTime),
    updateTime: timestampOf(record.updateTime),
    ...(view.progress && { progress: progressToMessage(view.progress) }),
    parentId: record.parentId === 0 ? "" : jobIdToString(record.parentId),
  });
}

function progressToMessage({ fraction, text, at }: Progress) {
  return create(JobProgressSchema, { fraction, text, at: timestampOf(at) });
}

/** Unset where they mean nothing, so that a job as it was read is accepted by UpdateJob. */
function recurringFields({ bounds, jitterMs, misfire, overlap }: JobSpec) {
  const { startAt, endAt, maxOccurrences } = bounds;
  return {
    ...(startAt !== null && { startAt: timestampOf(startAt) }),
    ...(endAt !== null && { endAt: timestampOf(endAt) }),
    ...(maxOccurrences !== null && { maxOccurrences }),
    ...(jitterMs > 0 && { jitter: durationOf(jitterMs) }),
    misfire: misfireToEnum(misfire),
    overlap: overlapToEnum(overlap),
  };
}

function keyFields({ keyLife }: JobSpec) {
  return typeof keyLife === "number" ? { keyTtl: durationOf(keyLife) } : { keyLife: keyLifeToEnum(keyLife) };
}

/** While a job runs, `at` is still the occurrence that runs; what is due next is the one after it. */
export function nextRunOf(record: JobRecord): number | null {
  if (record.status === STORED_STATUS.RUNNING) {
    return unknownZoneOf(record.spec) === null ? (nextDue(record, record.scheduledAt)?.at ?? null) : null;
  }
  return record.status === STORED_STATUS.WAITING && isEverDue(record.at) ? record.at : null;
}
