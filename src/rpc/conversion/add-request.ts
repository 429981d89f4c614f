/** AddJobRequest (and the same fields in Job) to a checked spec. */
import { type Problem, quote } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { isProblems, parseJobSpec, type SpecLimits } from "../../core/spec/job-spec.ts";
import type { RawJobSpec } from "../../core/spec/raw-job-spec.ts";
import { type Job, KeyReuse } from "../../gen/elasticjob/v1/job_pb.ts";
import type { AddJobRequest } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { keyLifeFromEnum, keyReuseFromEnum, misfireFromEnum, overlapFromEnum } from "./enum-names.ts";
import { readJobId } from "./job-id.ts";
import { payloadText } from "./payload-field.ts";
import { msFromDuration, msFromTimestamp } from "./proto-time.ts";
import { rawScheduleFromMessage } from "./schedule-message.ts";

/** The fields of a Job that its caller decides. */
export type SpecFields = Pick<
  Job,
  "name" | "handler" | "schedule" | "misfire" | "overlap" | "priority" | "idempotencyKey" | "keyLife"
> &
  Partial<
    Pick<
      Job,
      "payload" | "payloadJson" | "startAt" | "endAt" | "maxOccurrences" | "jitter" | "deadline" | "timeout"
    >
  > &
  Partial<Pick<Job, "retry" | "requirements" | "keyTtl">> &
  Partial<Pick<AddJobRequest, "keyReuse">>;

export interface ParsedAdd {
  /** The spec, or all that is wrong with the request. */
  readonly parsed: JobSpec | readonly Problem[];
  /** The request itself; without a payload, where jobs have the rest in common. */
  readonly asked: RawJobSpec;
}

export function parseAddRequest(request: AddJobRequest, now: number, limits?: SpecLimits): ParsedAdd {
  const problems: Problem[] = [];
  const asked = rawFromAddRequest(request, problems, limits);
  return { parsed: withProblems(problems, parseJobSpec(asked, now, limits)), asked };
}

export function rawFromAddRequest(
  request: AddJobRequest,
  problems: Problem[],
  limits?: SpecLimits,
): RawJobSpec {
  const parentId = parentIdOf(request, problems);
  const { allowUnknownHandler: allowsUnknownHandler } = request;
  return { ...rawFromFields(request, problems, limits), parentId, allowsUnknownHandler };
}

function parentIdOf({ parentId }: AddJobRequest, problems: Problem[]): number {
  if (parentId === "") return 0;
  const id = readJobId(parentId);
  if (id !== null) return id;
  problems.push({
    field: "parentId",
    message: `${quote(parentId)} is not a job's id; a positive whole number in decimal is accepted`,
  });
  return 0;
}

/** The plain fields; those that cannot be read become problems, and are left out. */
export function rawFromFields(fields: SpecFields, problems: Problem[], limits?: SpecLimits): RawJobSpec {
  const { retry, requirements } = fields;
  return {
    name: fields.name,
    handler: fields.handler,
    payload: payloadText(fields, problems, limits),
    schedule: rawScheduleFromMessage(fields.schedule, problems),
    startAt: msFromTimestamp("startAt", fields.startAt, problems),
    endAt: msFromTimestamp("endAt", fields.endAt, problems),
    maxOccurrences: fields.maxOccurrences,
    jitterMs: msFromDuration("jitter", fields.jitter, problems),
    misfire: misfireFromEnum(fields.misfire, problems),
    overlap: overlapFromEnum(fields.overlap, problems),
    deadlineMs: msFromDuration("deadline", fields.deadline, problems),
    priority: fields.priority,
    timeoutMs: msFromDuration("timeout", fields.timeout, problems),
    retry: retry && {
      maxAttempts: retry.maxAttempts,
      initialBackoffMs: msFromDuration("retry.initialBackoff", retry.initialBackoff, problems),
      maxBackoffMs: msFromDuration("retry.maxBackoff", retry.maxBackoff, problems),
      multiplier: retry.multiplier,
    },
    requirements: requirements && {
      slots: requirements.slots,
      memoryMb: requirements.memoryMb,
      labels: requirements.labels,
    },
    idempotencyKey: fields.idempotencyKey,
    keyLife: keyLifeFromEnum(fields.keyLife, problems),
    keyTtlMs: msFromDuration("keyTtl", fields.keyTtl, problems),
    keyReuse: keyReuseFromEnum(fields.keyReuse ?? KeyReuse.UNSPECIFIED, problems),
  };
}

/** Problems of reading the fields come before those of their values. */
export function withProblems(
  found: readonly Problem[],
  parsed: JobSpec | readonly Problem[],
): JobSpec | readonly Problem[] {
  if (isProblems(parsed)) return [...found, ...parsed];
  return found.length > 0 ? found : parsed;
}
