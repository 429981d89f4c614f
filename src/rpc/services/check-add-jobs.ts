import { invalidArgument } from "../../core/errors.ts";
import type { AddJobsRequest } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { unknownFieldError } from "../forwarding/unknown-fields.ts";

const MAX_JOBS_A_CALL = 10_000;

export interface AddCall {
  /** Names the call, or what it is a part of; null: the caller gave none. */
  readonly key: string | null;
  /** A node made the key, for its own retries: no other call can come under it, so that nothing is to be compared. */
  readonly isOwnKey: boolean;
  /** A newer node may have forwarded fields that this one does not know. */
  readonly forwarded: boolean;
  /** Of a single job: why it is not added is the call's own failure. */
  readonly isLone: boolean;
}

/** Throws what is wrong with the call as a whole, whatever its jobs are. */
export function checkAddJobs(
  request: AddJobsRequest,
  { key, forwarded }: Pick<AddCall, "key" | "forwarded">,
): void {
  const { jobs, table, keyPart, $unknown = [] } = request;
  // First: it may be all that there is.
  const [unknown] = forwarded ? $unknown : [];
  if (unknown !== undefined) throw unknownFieldError(`AddJobsRequest field ${unknown.no}`);
  if (table !== undefined && jobs.length > 0) {
    throw invalidArgument([{ field: "table", message: "is given beside jobs; one of them is accepted" }]);
  }
  const count = table?.template.length ?? jobs.length;
  if (count < 1 || count > MAX_JOBS_A_CALL) {
    const message = `has ${count} jobs; 1 to ${MAX_JOBS_A_CALL.toLocaleString("en")} are accepted`;
    throw invalidArgument([{ field: "jobs", message }]);
  }
  if (keyPart === undefined) return;
  if (key === null) {
    throw invalidArgument([{ field: "keyPart", message: "is given without an idempotency key" }]);
  }
  if (keyPart.jobs > MAX_JOBS_A_CALL || keyPart.first + count > keyPart.jobs) {
    const message = `is of ${keyPart.jobs} jobs, from ${keyPart.first} on, for a call of ${count}; parts of up to ${MAX_JOBS_A_CALL.toLocaleString("en")} are accepted`;
    throw invalidArgument([{ field: "keyPart", message }]);
  }
}
