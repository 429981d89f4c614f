/** The master's side of AddJob and AddJobs: checks each job on its own, adds the good ones in one go. */
import { ElasticJobError, invalidArgument, type Problem } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { isProblems } from "../../core/spec/job-spec.ts";
import type {
  AddJobFailure,
  AddJobOutcome,
  AddJobRequest,
  AddJobResponse,
  AddJobsRequest,
  AddJobsResponse,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob, AddItem, JobApi, KeyPart } from "../../master/job-api.ts";
import { specFromAddRequest } from "../conversion/add-request.ts";
import { jobIdToString } from "../conversion/job-id.ts";
import { addedTable, specsFromTable } from "../conversion/job-table.ts";
import { timestampOf } from "../conversion/proto-time.ts";
import { codeText } from "../error-codes.ts";
import { findUnknownField, unknownFieldError } from "../forwarding/unknown-fields.ts";
import type { RpcLimits } from "../limits.ts";

const MAX_JOBS_A_CALL = 10_000;

export interface AddCall {
  /** Names the call, or what it is a part of; null: the caller gave none. */
  readonly key: string | null;
  /** A newer node may have forwarded fields that this one does not know. */
  readonly forwarded: boolean;
}

type Added = AddedJob | ElasticJobError;

/** Throws what is wrong with the call as a whole, whatever its jobs are. */
export function checkAddJobs(request: AddJobsRequest, { key, forwarded }: AddCall): void {
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

export async function addJobOnMaster(
  api: JobApi,
  request: AddJobRequest,
  call: AddCall,
  limits: RpcLimits,
): Promise<AddJobResponse> {
  const [outcome] = await addItems(api, [check(request, call, api, limits)], call.key, null);
  if (outcome === undefined) throw new ElasticJobError("internal", "the master gave no outcome");
  if (outcome instanceof ElasticJobError) throw outcome;
  return toResponse(outcome);
}

/** Throws only what concerns the call as a whole. */
export async function addJobsOnMaster(
  api: JobApi,
  request: AddJobsRequest,
  call: AddCall,
  limits: RpcLimits,
): Promise<AddJobsResponse> {
  const { jobs, table, keyPart } = request;
  const part = keyPart === undefined ? null : { jobs: keyPart.jobs, first: keyPart.first };
  const $typeName = "elasticjob.v1.AddJobsResponse";
  if (table === undefined) {
    const items = jobs.map((job) => check(job, call, api, limits));
    const outcomes = await addItems(api, items, call.key, part);
    return { $typeName, outcomes: outcomes.map(toOutcome) };
  }
  const unknownOfTable = call.forwarded ? findUnknownField(table) : null;
  if (unknownOfTable !== null) throw unknownFieldError(unknownOfTable);
  const items = specsFromTable(table, api.clusterTime(), limits).map(toItem);
  const outcomes = await addItems(api, items, call.key, part);
  return outcomes.every((outcome): outcome is AddedJob => !(outcome instanceof ElasticJobError))
    ? { $typeName, outcomes: [], added: addedTable(outcomes) }
    : { $typeName, outcomes: outcomes.map(toOutcome) };
}

/** One outcome for each item, in their order. */
async function addItems(
  api: JobApi,
  items: readonly AddItem[],
  key: string | null,
  part: KeyPart | null,
): Promise<Added[]> {
  // With a key, also when all are refused: a job that an earlier try of the call has added may be refused by now (its last occurrence has passed).
  const refused = items.filter((item) => item instanceof ElasticJobError);
  if (key === null && refused.length === items.length) return refused;
  return api.addJobs(items, key, part);
}

function check(request: AddJobRequest, call: AddCall, api: JobApi, limits: RpcLimits): AddItem {
  const unknown = call.forwarded ? findUnknownField(request) : null;
  if (unknown !== null) return unknownFieldError(unknown);
  return toItem(specFromAddRequest(request, api.clusterTime(), limits));
}

function toItem(parsed: JobSpec | readonly Problem[]): AddItem {
  return isProblems(parsed) ? invalidArgument(parsed) : parsed;
}

// Literals, not `create`: one of each is made for every job.

function toOutcome(outcome: Added): AddJobOutcome {
  const $typeName = "elasticjob.v1.AddJobOutcome";
  if (!(outcome instanceof ElasticJobError)) {
    return { $typeName, outcome: { case: "added", value: toResponse(outcome) } };
  }
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
