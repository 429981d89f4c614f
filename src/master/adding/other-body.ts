/** What callers are told whose key came before, with another body: the first job is there, and this one is not. */
import { ElasticJobError, quote } from "../../core/errors.ts";
import { differingFields, type FieldDigests } from "./field-digests.ts";

export function otherJob(idempotencyKey: string, jobId: number, fields: readonly string[]): ElasticJobError {
  return refusal(
    `idempotencyKey: ${quote(idempotencyKey)} names job ${jobId}, which was added with other values of ${fields.join(", ")}; the same values, another key, or keyReuse KEY_REUSE_ANY_BODY are accepted`,
  );
}

/** For each job that differs from the one at its place in the first call its refusal, by the ids of that call's block. */
export function otherJobsOfCall(
  callKey: string,
  calls: {
    readonly first: readonly FieldDigests[];
    readonly now: readonly FieldDigests[];
    readonly firstId: number;
    /** What the first call has there: a job of it may have been refused, or be gone. */
    readonly added: ReadonlyMap<number, unknown>;
  },
): Map<number, ElasticJobError> {
  const refusals = new Map<number, ElasticJobError>();
  for (const [index, digests] of calls.first.entries()) {
    const fields = differingFields(digests, calls.now[index]);
    const id = calls.firstId + index;
    if (fields.length > 0) refusals.set(id, otherJobOfCall(callKey, calls.added.has(id) ? id : null, fields));
  }
  return refusals;
}

function otherJobOfCall(callKey: string, jobId: number | null, fields: readonly string[]): ElasticJobError {
  const first = jobId === null ? "" : `, for job ${jobId}`;
  return refusal(
    `Idempotency-Key: ${quote(callKey)} came before with other values of ${fields.join(", ")}${first}; the same call, or another key, is accepted`,
  );
}

export function otherNumberOfJobs(
  callKey: string,
  first: number,
  now: number,
  firstId: number,
): ElasticJobError {
  return refusal(
    `Idempotency-Key: ${quote(callKey)} came before with other jobs, ${first} from job ${firstId} on, and has ${now} now; the same call, or another key, is accepted`,
  );
}

function refusal(message: string): ElasticJobError {
  return new ElasticJobError("already_exists", message);
}
