import { create, toBinary } from "@bufbuild/protobuf";
import { invalidArgument } from "../../core/errors.ts";
import { OUTCOME, type Outcome, type ResultRecord } from "../../core/job.ts";
import { type JobResult, JobResultSchema } from "../../gen/elasticjob/v1/job_pb.ts";
import {
  type GetAllResultRequest,
  type GetAllResultResponse,
  GetAllResultResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobStore, ResultFilter, ResultKey } from "../../store/job-store.ts";
import { jobIdFromString } from "../conversion/job-id.ts";
import { readResultsPageToken, resultsPageToken } from "../conversion/page-token.ts";
import { resultToMessage } from "../conversion/result-message.ts";
import type { NodeNames } from "./node-names.ts";
import { buildPage } from "./page-builder.ts";
import { pageSizeOf } from "./page-size.ts";

export async function listResults(
  request: GetAllResultRequest,
  from: { readonly store: JobStore; readonly names: NodeNames },
): Promise<GetAllResultResponse> {
  const { store, names } = from;
  const filter = filterOf(request);
  const tokenFilter = { jobId: request.jobId, outcome: request.outcome };
  const { items, next } = await buildPage<ResultRecord, ResultKey, JobResult>({
    limit: pageSizeOf(request.pageSize),
    from: readResultsPageToken(request.pageToken, tokenFilter),
    read: (before, limit) => store.listResults(filter, { before, limit }),
    keyOf: ({ jobId, claim, late }) => ({ jobId, claim, late }),
    async convert(records) {
      const nodeName = await names.read(records.map((record) => record.node));
      return (record, light) =>
        resultToMessage(light ? { ...record, output: null, error: shortened(record) } : record, nodeName);
    },
    sizeOf: (result) => toBinary(JobResultSchema, result).byteLength,
  });
  return create(GetAllResultResponseSchema, {
    results: items,
    nextPageToken: next === null ? "" : resultsPageToken(tokenFilter, next),
  });
}

/** A stack is the longest part of an error, and the first that a list can do without. */
function shortened({ error }: ResultRecord): ResultRecord["error"] {
  return error && { name: error.name, message: error.message };
}

function filterOf({ jobId, outcome }: GetAllResultRequest): ResultFilter {
  return {
    ...(jobId !== "" && { jobId: jobIdFromString(jobId) }),
    ...(outcome !== 0 && { outcome: checkOutcome(outcome) }),
  };
}

function checkOutcome(outcome: number): Outcome {
  if (isOutcome(outcome)) return outcome;
  const message = `is ${outcome}; 1 (SUCCEEDED) to 6 (SKIPPED) are accepted, and 0 for any`;
  throw invalidArgument([{ field: "outcome", message }]);
}

function isOutcome(value: number): value is Outcome {
  return Object.values<number>(OUTCOME).includes(value);
}
