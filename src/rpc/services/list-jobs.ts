import { create, toBinary } from "@bufbuild/protobuf";
import { invalidArgument } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS, type StoredStatus } from "../../core/job.ts";
import { whyWaiting } from "../../core/state/why-waiting.ts";
import { type Job, JobSchema, JobStatus } from "../../gen/elasticjob/v1/job_pb.ts";
import {
  type GetAllJobsRequest,
  type GetAllJobsResponse,
  GetAllJobsResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobFilter, JobStore } from "../../store/job-store.ts";
import { jobToMessage } from "../conversion/job-message.ts";
import { jobsPageToken, readJobsPageToken } from "../conversion/page-token.ts";
import type { NodeNames } from "./node-names.ts";
import { buildPage } from "./page-builder.ts";
import { pageSizeOf } from "./page-size.ts";

const COUNT_LIMIT = 10_000;

export async function listJobs(
  request: GetAllJobsRequest,
  from: { readonly store: JobStore; readonly names: NodeNames; readonly now: number },
): Promise<GetAllJobsResponse> {
  const { store, names, now } = from;
  const filter = filterOf(request, now);
  const { status, handler, namePrefix } = request;
  // Of what the caller asked for, not of `filter`: its `dueBy` is another one on each page.
  const tokenFilter = { status, handler, namePrefix };
  const { items, next } = await buildPage<JobRecord, number, Job>({
    limit: pageSizeOf(request.pageSize),
    from: readJobsPageToken(request.pageToken, tokenFilter),
    read: (before, limit) => store.listJobs(filter, { before, limit }),
    keyOf: (record) => record.id,
    async convert(records) {
      const nodeName = await names.read(records.map((record) => record.node));
      return (record, light) => {
        const prepared = record.status === STORED_STATUS.WAITING && record.at <= now;
        const shown = light ? { ...record, spec: { ...record.spec, payload: null } } : record;
        // Why a prepared job waits, only the master knows.
        const reason = prepared ? "" : whyWaiting(record);
        return jobToMessage({ record: shown, prepared, reason, lastResult: null }, nodeName);
      };
    },
    sizeOf: (job) => toBinary(JobSchema, job).byteLength,
  });
  return create(GetAllJobsResponseSchema, {
    jobs: items,
    nextPageToken: next === null ? "" : jobsPageToken(tokenFilter, next),
    totalSize: request.withTotal ? await store.countJobs(filter, COUNT_LIMIT) : 0,
  });
}

/** PREPARED is not stored: it is waiting and due, and WAITING is waiting and not due. */
function filterOf(request: GetAllJobsRequest, now: number): JobFilter {
  return {
    ...statusFilter(request.status, now),
    ...(request.handler !== "" && { handler: request.handler }),
    ...(request.namePrefix !== "" && { namePrefix: request.namePrefix }),
  };
}

function statusFilter(status: JobStatus, now: number): JobFilter {
  if (status === JobStatus.UNSPECIFIED) return {};
  if (status === JobStatus.WAITING) return { status: STORED_STATUS.WAITING, dueAfter: now };
  if (status === JobStatus.PREPARED) return { status: STORED_STATUS.WAITING, dueBy: now };
  if (isStored(status)) return { status };
  const message = `is ${status}; 1 (WAITING) to 7 (CANCELLED) are accepted, and 0 for any`;
  throw invalidArgument([{ field: "status", message }]);
}

function isStored(status: number): status is StoredStatus {
  return Object.values<number>(STORED_STATUS).includes(status);
}
