/** What UpdateJob makes of a spec. */
import { isRecurringKind } from "../../core/calendar/schedule.ts";
import type { Problem } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { parseJobSpec, type SpecLimits } from "../../core/spec/job-spec.ts";
import { type RawJobSpec, rawFromSpec } from "../../core/spec/raw-job-spec.ts";
import { type Job, KeyLife, Misfire, Overlap } from "../../gen/elasticjob/v1/job_pb.ts";
import { rawFromFields, type SpecFields, withProblems } from "./add-request.ts";
import { onePayload } from "./payload-field.ts";
import { replaceSpec } from "./replace-spec.ts";
import { nothingSet, pathsFromMask, pathsSetIn, type UpdatePath } from "./update-mask.ts";

/**
 * The spec after the change, or all that is wrong with the request. `mask`: the paths of
 * `update_mask`; empty: what is set in `job`. A path that is named and not set takes its default.
 * `retry` and `requirements` are replaced as a whole, `retry.maxAttempts` and the like alone. A
 * schedule that stays the same stays the same object, and so does the spec when nothing of it changes.
 */
export function applyUpdate(
  spec: JobSpec,
  job: Job | undefined,
  mask: readonly string[],
  now: number,
  limits?: SpecLimits,
): JobSpec | readonly Problem[] {
  if (!job) return [{ field: "job", message: "is required: the new values" }];
  const problems: Problem[] = [];
  const paths = mask.length > 0 ? pathsFromMask(mask, job, problems) : pathsSetIn(job, problems);
  if (mask.length === 0) refuseOtherKey(spec, job, problems);
  if (paths.size === 0 && problems.length === 0) problems.push(nothingSet());
  const incoming = rawFromFields(onlyNamed(job, paths), problems, limits);
  const merged = merge(rawFromSpec(spec), incoming, paths);
  const keepsSchedule = mask.length === 0 && isSameTime(spec, incoming);
  const raw = keepsSchedule ? { ...merged, schedule: rawFromSpec(spec).schedule } : merged;
  // A payload that was accepted under another limit stays.
  const parsed = parseJobSpec(
    raw,
    now,
    paths.has("payload") ? limits : { maxPayloadBytes: Number.POSITIVE_INFINITY },
  );
  const changed = withProblems(problems, parsed);
  if (!("schedule" in changed)) return changed;
  return replaceSpec(spec, changed);
}

function refuseOtherKey(spec: JobSpec, job: Job, problems: Problem[]): void {
  const message = "cannot be changed; leave it out";
  const asRead = rawFromSpec(spec);
  const asked = rawFromFields({ ...onlyNamed(job, new Set()), ...keyFieldsOf(job) }, problems);
  if (job.idempotencyKey !== "" && asked.idempotencyKey !== asRead.idempotencyKey) {
    problems.push({ field: "job.idempotencyKey", message });
  }
  if (asked.keyLife !== undefined && asked.keyLife !== asRead.keyLife) {
    problems.push({ field: "job.keyLife", message });
  }
  if (asked.keyTtlMs !== undefined && asked.keyTtlMs !== asRead.keyTtlMs) {
    problems.push({ field: "job.keyTtl", message });
  }
}

function keyFieldsOf({ idempotencyKey, keyLife, keyTtl }: Job) {
  return { idempotencyKey, keyLife, ...(keyTtl && { keyTtl }) };
}

/** The job without the fields that are not to change: what is wrong with those does not matter. */
function onlyNamed(job: Job, paths: ReadonlySet<UpdatePath>): SpecFields {
  const names = (field: string) => [...paths].some((path) => path === field || path.startsWith(`${field}.`));
  return {
    name: names("name") ? (job.name ?? "") : "",
    handler: names("handler") ? (job.handler ?? "") : "",
    ...(names("payload") && onePayload(job)),
    schedule: names("schedule") ? job.schedule : { case: undefined },
    ...(names("start_at") && job.startAt && { startAt: job.startAt }),
    ...(names("end_at") && job.endAt && { endAt: job.endAt }),
    ...(names("max_occurrences") &&
      job.maxOccurrences !== undefined && { maxOccurrences: job.maxOccurrences }),
    ...(names("jitter") && job.jitter && { jitter: job.jitter }),
    misfire: names("misfire") ? job.misfire : Misfire.UNSPECIFIED,
    overlap: names("overlap") ? job.overlap : Overlap.UNSPECIFIED,
    ...(names("deadline") && job.deadline && { deadline: job.deadline }),
    priority: names("priority") ? (job.priority ?? 0) : 0,
    ...(names("timeout") && job.timeout && { timeout: job.timeout }),
    ...(names("retry") && job.retry && { retry: job.retry }),
    ...(names("requirements") && job.requirements && { requirements: job.requirements }),
    idempotencyKey: "",
    keyLife: KeyLife.UNSPECIFIED,
  };
}

function merge(base: RawJobSpec, incoming: RawJobSpec, paths: ReadonlySet<UpdatePath>): RawJobSpec {
  const has = (path: UpdatePath) => paths.has(path);
  const retry = has("retry") ? incoming.retry : base.retry;
  const requirements = has("requirements") ? incoming.requirements : base.requirements;
  const schedule = has("schedule") ? incoming.schedule : base.schedule;
  // What goes with a recurring schedule only goes when the job stops having one.
  const recurring = staysRecurring(base, schedule) ? base : {};
  return {
    name: has("name") ? incoming.name : base.name,
    handler: has("handler") ? incoming.handler : base.handler,
    payload: has("payload") ? incoming.payload : base.payload,
    schedule,
    startAt: has("start_at") ? incoming.startAt : recurring.startAt,
    endAt: has("end_at") ? incoming.endAt : recurring.endAt,
    maxOccurrences: has("max_occurrences") ? incoming.maxOccurrences : recurring.maxOccurrences,
    jitterMs: has("jitter") ? incoming.jitterMs : recurring.jitterMs,
    misfire: has("misfire") ? incoming.misfire : recurring.misfire,
    overlap: has("overlap") ? incoming.overlap : recurring.overlap,
    deadlineMs: has("deadline") ? incoming.deadlineMs : base.deadlineMs,
    priority: has("priority") ? incoming.priority : base.priority,
    timeoutMs: has("timeout") ? incoming.timeoutMs : base.timeoutMs,
    retry: {
      ...retry,
      ...(has("retry.max_attempts") && { maxAttempts: incoming.retry?.maxAttempts }),
      ...(has("retry.initial_backoff") && { initialBackoffMs: incoming.retry?.initialBackoffMs }),
      ...(has("retry.max_backoff") && { maxBackoffMs: incoming.retry?.maxBackoffMs }),
      ...(has("retry.multiplier") && { multiplier: incoming.retry?.multiplier }),
    },
    requirements: {
      ...requirements,
      ...(has("requirements.slots") && { slots: incoming.requirements?.slots }),
      ...(has("requirements.memory_mb") && { memoryMb: incoming.requirements?.memoryMb }),
      ...(has("requirements.labels") && { labels: incoming.requirements?.labels }),
    },
    idempotencyKey: base.idempotencyKey,
    keyLife: base.keyLife,
    keyTtlMs: base.keyTtlMs,
    before: base.before,
  };
}

function staysRecurring(base: RawJobSpec, schedule: RawJobSpec["schedule"]): boolean {
  return (
    schedule === base.schedule ||
    (schedule !== undefined && schedule.kind !== "unchanged" && isRecurringKind(schedule.kind))
  );
}

/** A timed job that is sent back as it was read keeps its time, though that may be in the past by now. */
function isSameTime(spec: JobSpec, incoming: RawJobSpec): boolean {
  return (
    spec.schedule.kind === "timed" &&
    incoming.schedule?.kind === "timed" &&
    incoming.schedule.runAt === spec.schedule.runAt
  );
}
