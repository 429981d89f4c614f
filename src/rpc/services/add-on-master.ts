/** The master's side of an add: checks each job on its own, adds the good ones in one go. */
import type { Caller } from "../../core/callers/caller.ts";
import { ElasticJobError, invalidArgument } from "../../core/errors.ts";
import { isProblems } from "../../core/spec/job-spec.ts";
import type {
  AddJobFailure,
  AddJobOutcome,
  AddJobRequest,
  AddJobResponse,
  AddJobsRequest,
  AddJobsResponse,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob, AddItem, AddOutcome, JobApi, KeyUse } from "../../master/job-api.ts";
import { type ParsedAdd, parseAddRequest } from "../conversion/add-request.ts";
import { jobIdToString } from "../conversion/job-id.ts";
import { addedTable, rowsOfTable } from "../conversion/job-table.ts";
import { timestampOf } from "../conversion/proto-time.ts";
import { codeText } from "../error-codes.ts";
import { findUnknownField, unknownFieldError } from "../forwarding/unknown-fields.ts";
import type { RpcLimits } from "../limits.ts";
import { turns } from "../turns.ts";
import type { AddCall } from "./check-add-jobs.ts";

/** Looking at the clock costs as much as a small job's check. */
const JOBS_A_LOOK = 16;

/** Throws what concerns the call as a whole; of a lone job, also why it is not added. */
export async function addOnMaster(
  api: JobApi,
  request: AddJobsRequest,
  call: AddCall,
  limits: RpcLimits,
  caller: Caller,
): Promise<AddJobsResponse> {
  const read = itemReader(request, call, api.clusterTime(), limits);
  const items: AddItem[] = [];
  // Few calls have so many jobs that any of this waits.
  if (read.count >= JOBS_A_LOOK) turns.start();
  for (let index = 0; index < read.count; index++) {
    if (index % JOBS_A_LOOK === JOBS_A_LOOK - 1 && turns.isOver) await turns.next();
    items.push(read.item(index));
  }
  const outcomes = await addItems(api, items, call.key, keyUse(request, call));
  api.noteAdded(caller, items, outcomes);
  const [first] = outcomes;
  if (call.isLone && first instanceof ElasticJobError) throw first;
  const $typeName = "elasticjob.v1.AddJobsResponse";
  return request.table !== undefined && outcomes.every(isAdded)
    ? { $typeName, outcomes: [], added: addedTable(outcomes) }
    : { $typeName, outcomes: outcomes.map(toOutcome) };
}

function keyUse({ keyPart }: AddJobsRequest, { isOwnKey }: AddCall): KeyUse {
  if (keyPart !== undefined) return { jobs: keyPart.jobs, first: keyPart.first };
  return isOwnKey ? "retries" : null;
}

function isAdded(outcome: AddOutcome): outcome is AddedJob {
  return !(outcome instanceof ElasticJobError);
}

interface ItemReader {
  readonly count: number;
  item(index: number): AddItem;
}

function itemReader(
  { jobs, table }: AddJobsRequest,
  call: AddCall,
  now: number,
  limits: RpcLimits,
): ItemReader {
  if (table === undefined) {
    return { count: jobs.length, item: (index) => check(jobs[index] as AddJobRequest, call, now, limits) };
  }
  const unknown = call.forwarded ? findUnknownField(table) : null;
  if (unknown !== null) throw unknownFieldError(unknown);
  const rows = rowsOfTable(table, now, limits);
  return { count: rows.count, item: (row) => toItem(rows.parsed(row)) };
}

/** One outcome for each item, in their order. */
async function addItems(
  api: JobApi,
  items: readonly AddItem[],
  key: string | null,
  use: KeyUse,
): Promise<AddOutcome[]> {
  // With a key, also when all are refused: a job that an earlier try of the call has added may be refused by now (its last occurrence has passed).
  const refused = items.flatMap(({ spec }) => (spec instanceof ElasticJobError ? spec : []));
  if (key === null && refused.length === items.length) return refused;
  return api.addJobs(items, key, use);
}

function check(request: AddJobRequest, call: AddCall, now: number, limits: RpcLimits): AddItem {
  const unknown = call.forwarded ? findUnknownField(request) : null;
  const item = toItem(parseAddRequest(request, now, limits));
  return unknown === null ? item : { ...item, spec: unknownFieldError(unknown) };
}

function toItem({ parsed, asked }: ParsedAdd): AddItem {
  return { spec: isProblems(parsed) ? invalidArgument(parsed) : parsed, asked };
}

// Literals, not `create`: one of each is made for every job.

function toOutcome(outcome: AddOutcome): AddJobOutcome {
  const $typeName = "elasticjob.v1.AddJobOutcome";
  if (isAdded(outcome)) {
    return { $typeName, outcome: { case: "added", value: toResponse(outcome) } };
  }
  const value: AddJobFailure = {
    $typeName: "elasticjob.v1.AddJobFailure",
    code: codeText(outcome),
    message: outcome.message,
  };
  return { $typeName, outcome: { case: "failure", value } };
}

function toResponse({ jobId, created, nextRunAt, reason = "" }: AddedJob): AddJobResponse {
  return {
    $typeName: "elasticjob.v1.AddJobResponse",
    jobId: jobIdToString(jobId),
    created,
    nextRunAt: timestampOf(nextRunAt),
    reason,
  };
}
