/** What PutJob describes, to a spec: of a job that is there, or of a new one. */
import { invalidArgument, type Problem } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { parseJobSpec, type SpecLimits, specOrThrow } from "../../core/spec/job-spec.ts";
import { type RawJobSpec, rawFromSpec } from "../../core/spec/raw-job-spec.ts";
import type { AddJobRequest } from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobDescription } from "../../master/job-api.ts";
import { rawFromAddRequest, withProblems } from "./add-request.ts";
import { replaceSpec } from "./replace-spec.ts";

/**
 * Throws what is wrong with the description, whatever job is there. `now`: asked again each time, as the job that is to be
 * compared with may have to be read again.
 */
export function describePut(
  key: string,
  job: AddJobRequest | undefined,
  now: () => number,
  limits?: SpecLimits,
): JobDescription {
  if (key === "")
    throw invalidArgument([{ field: "idempotencyKey", message: "is required: it names the job" }]);
  if (job === undefined) throw invalidArgument([{ field: "job", message: "is required: what it is to be" }]);
  const problems: Problem[] = [];
  refuseKeyFields(key, job, problems);
  const raw = putTimes(rawFromAddRequest(job, problems, limits), problems);
  const asked: RawJobSpec = { ...raw, idempotencyKey: key };
  const allowed = job.allowUnknownHandler ? { allowsUnknownHandler: true as const } : {};
  return {
    key,
    added: () => ({ spec: specOrThrow(withProblems(problems, parseJobSpec(asked, now(), limits))), asked }),
    changed(before: JobSpec) {
      const { idempotencyKey, keyLife, keyTtlMs, before: accepted } = rawFromSpec(before);
      const again = { ...asked, idempotencyKey, keyLife, keyTtlMs, before: accepted };
      const spec = specOrThrow(withProblems(problems, parseJobSpec(again, now(), limits)));
      const after = replaceSpec(before, spec);
      return after === before ? before : { ...after, ...allowed };
    },
  };
}

/** The key is the call's, and names the job for as long as it is kept; it has no parent. */
function refuseKeyFields(key: string, job: AddJobRequest, problems: Problem[]): void {
  if (job.idempotencyKey !== "" && job.idempotencyKey !== key) {
    problems.push({
      field: "job.idempotencyKey",
      message: "is another one than idempotencyKey; leave it out",
    });
  }
  const message = "is not for PutJob, whose key names the job for as long as it is kept; leave it out";
  if (job.keyLife !== 0) problems.push({ field: "job.keyLife", message });
  if (job.keyTtl !== undefined) problems.push({ field: "job.keyTtl", message });
  if (job.keyReuse !== 0) problems.push({ field: "job.keyReuse", message });
  if (job.parentId !== "") {
    problems.push({
      field: "job.parentId",
      message: "is not for PutJob, which changes no parent; leave it out",
    });
  }
}

/**
 * The same description must mean the same time whenever it comes. So a time that has passed stays as it is described (it is
 * due at once all the same), and a delay, which counts from each call, is refused.
 */
function putTimes(raw: RawJobSpec, problems: Problem[]): RawJobSpec {
  if (raw.schedule?.kind !== "timed") return raw;
  const { runAt, delayMs } = raw.schedule;
  if (delayMs !== undefined) {
    const message = "counts from each call, so that the job would never be as described; runAt is accepted";
    problems.push({ field: "timed.delay", message });
  }
  if (runAt === undefined) return raw;
  return { ...raw, schedule: { kind: "unchanged", schedule: { kind: "timed", runAt } } };
}
