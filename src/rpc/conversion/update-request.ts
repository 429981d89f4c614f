/** What UpdateJob makes of a spec. */
import type { Problem } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { parseJobSpec, type RawJobSpec, rawFromSpec, type SpecLimits } from "../../core/job-spec.ts";
import { type Job, Misfire } from "../../gen/elasticjob/v1/job_pb.ts";
import { rawFromFields, type SpecFields, withProblems } from "./add-request.ts";
import { pathsFromMask, pathsSetIn, type UpdatePath } from "./update-mask.ts";

/**
 * The spec after the change, or all that is wrong with the request. `mask`: the paths of
 * `update_mask`; empty: what is set in `job`. A path that is named and not set takes its default.
 * `retry` and `requirements` are replaced as a whole, `retry.maxAttempts` and the like alone. A
 * schedule that stays the same stays the same object.
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
  const paths = mask.length > 0 ? pathsFromMask(mask, job, problems) : pathsSetIn(job);
  if (mask.length === 0 && job.idempotencyKey !== "" && job.idempotencyKey !== spec.idempotencyKey) {
    problems.push({ field: "job.idempotencyKey", message: "cannot be changed; leave it out" });
  }
  const incoming = rawFromFields(onlyNamed(job, paths), problems);
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
  const sameSchedule = JSON.stringify(changed.schedule) === JSON.stringify(spec.schedule);
  if (!sameSchedule) return changed;
  const { schedule, startsAt } = spec;
  return { ...changed, schedule, ...(startsAt !== undefined && { startsAt }) };
}

/** The job without the fields that are not to change: what is wrong with those does not matter. */
function onlyNamed(job: Job, paths: ReadonlySet<UpdatePath>): SpecFields {
  const names = (field: string) => [...paths].some((path) => path === field || path.startsWith(`${field}.`));
  return {
    name: names("name") ? job.name : "",
    handler: names("handler") ? job.handler : "",
    ...(names("payload") && job.payload && { payload: job.payload }),
    schedule: names("schedule") ? job.schedule : { case: undefined },
    misfire: names("misfire") ? job.misfire : Misfire.UNSPECIFIED,
    priority: names("priority") ? job.priority : 0,
    ...(names("timeout") && job.timeout && { timeout: job.timeout }),
    ...(names("retry") && job.retry && { retry: job.retry }),
    ...(names("requirements") && job.requirements && { requirements: job.requirements }),
    idempotencyKey: "",
  };
}

function merge(base: RawJobSpec, incoming: RawJobSpec, paths: ReadonlySet<UpdatePath>): RawJobSpec {
  const has = (path: UpdatePath) => paths.has(path);
  const retry = has("retry") ? incoming.retry : base.retry;
  const requirements = has("requirements") ? incoming.requirements : base.requirements;
  const schedule = has("schedule") ? incoming.schedule : base.schedule;
  return {
    name: has("name") ? incoming.name : base.name,
    handler: has("handler") ? incoming.handler : base.handler,
    payload: has("payload") ? incoming.payload : base.payload,
    schedule,
    misfire: has("misfire") ? incoming.misfire : fittingMisfire(base, schedule),
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
  };
}

/** The misfire rule of a recurring job goes when the job stops being one. */
function fittingMisfire(base: RawJobSpec, schedule: RawJobSpec["schedule"]): RawJobSpec["misfire"] {
  const staysRecurring =
    schedule === base.schedule || schedule?.kind === "daily" || schedule?.kind === "cron";
  return staysRecurring ? base.misfire : undefined;
}

/** A timed job that is sent back as it was read keeps its time, though that may be in the past by now. */
function isSameTime(spec: JobSpec, incoming: RawJobSpec): boolean {
  return (
    spec.schedule.kind === "timed" &&
    incoming.schedule?.kind === "timed" &&
    incoming.schedule.runAt === spec.schedule.runAt
  );
}
