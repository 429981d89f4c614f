/** The master's side of AddJob and AddJobs: checks each job on its own, adds the good ones in one go. */
import { ElasticJobError } from "../core/errors.ts";
import type { JobSpec } from "../core/job.ts";
import type {
  AddJobFailure,
  AddJobOutcome,
  AddJobRequest,
  AddJobResponse,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob, AddItem, JobApi } from "../master/job-api.ts";
import { jobIdToString } from "./conversion/job-id.ts";
import { timestampOf } from "./conversion/proto-time.ts";
import { codeText } from "./error-codes.ts";
import { findUnknownField, unknownFieldError } from "./unknown-fields.ts";

export interface AddCall {
  /** Names the call as a whole; null: the caller gave none. */
  readonly key: string | null;
  /** A newer node may have forwarded fields that this one does not know. */
  readonly forwarded: boolean;
}

export type ParseSpec = (request: AddJobRequest) => JobSpec;

/** One outcome for each request, in their order. Throws only what concerns the call as a whole. */
export async function addOnMaster(
  api: JobApi,
  requests: readonly AddJobRequest[],
  call: AddCall,
  parse: ParseSpec,
): Promise<(AddJobResponse | ElasticJobError)[]> {
  const checked = requests.map((request) => check(request, call, parse));
  // With a key, also when all are refused: a job that an earlier try of the call has added may be refused by now (its last occurrence has passed).
  const refused = checked.filter((item) => item instanceof ElasticJobError);
  if (call.key === null && refused.length === checked.length) return refused;
  const outcomes = await api.addJobs(checked, call.key);
  return outcomes.map((outcome) => (outcome instanceof ElasticJobError ? outcome : toResponse(outcome)));
}

function check(request: AddJobRequest, call: AddCall, parse: ParseSpec): AddItem {
  if (call.forwarded) {
    const unknown = findUnknownField(request);
    if (unknown !== null) return unknownFieldError(unknown);
  }
  try {
    return parse(request);
  } catch (error) {
    if (error instanceof ElasticJobError) return error;
    throw error;
  }
}

// Literals, not `create`: one of each is made for every job.

export function toOutcome(outcome: AddJobResponse | ElasticJobError): AddJobOutcome {
  const $typeName = "elasticjob.v1.AddJobOutcome";
  if (!(outcome instanceof ElasticJobError)) return { $typeName, outcome: { case: "added", value: outcome } };
  const value: AddJobFailure = {
    $typeName: "elasticjob.v1.AddJobFailure",
    code: codeText(outcome),
    message: outcome.message,
  };
  return { $typeName, outcome: { case: "failure", value } };
}

function toResponse({ jobId, created, nextRunAt }: AddedJob): AddJobResponse {
  return {
    $typeName: "elasticjob.v1.AddJobResponse",
    jobId: jobIdToString(jobId),
    created,
    nextRunAt: timestampOf(nextRunAt),
  };
}
