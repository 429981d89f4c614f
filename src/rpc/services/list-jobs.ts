import { create, toBinary } from "@bufbuild/protobuf";
import { invalidArgument } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS, type StoredStatus } from "../../core/job.ts";
import { whyStillRunning, whyWaiting } from "../../core/state/why-waiting.ts";
import { type Job, JobSchema, JobStatus } from "../../gen/elasticjob/v1/job_pb.ts";
import {
  type GetAllJobsRequest,
  type GetAllJobsResponse,
  GetAllJobsResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobFilter, JobStore } from "../../store/job-store.ts";
import { jobIdFromString } from "../conversion/job-id.ts";
import { jobToMessage } from "../conversion/job-message.ts";
import { jobsPageToken, readJobsPageToken } from "../conversion/page-token.ts";
import type { NodeNames } from "./node-names.ts";
import { buildPage } from "./page-builder.ts";
import { pageSizeOf } from "./page-size.ts";

const COUNT_LIMIT = 10_000;
/** Rows are read whole, outputs included; more jobs of a page than these hardly run on after a cancel. */
const MAX_EXPLAINED = 100;

export async function listJobs(
  request: GetAllJobsRequest,
  from: {
    readonly store: JobStore;
    readonly names: NodeNames;
    readonly now: number;
    /** Why prepared jobs wait, and those that are due later will, which only the master knows. */
    readonly whyPrepared: (
      records: readonly JobRecord[],
      now: number,
    ) => Promise<(record: JobRecord) => string>;
  },
): Promise<GetAllJobsResponse> {
  const { store, names, now } = from;
  const filter = filterOf(request, now);
  const { status, handler, namePrefix, parentId } = request;
  // Of what the caller asked for, not of `filter`: its `dueBy` is another one on each page.
  const tokenFilter = { status, handler, namePrefix, ...(parentId !== "" && { parentId }) };
  const { items, next } = await buildPage<JobRecord, number, Job>({
    limit: pageSizeOf(request.pageSize),
    from: readJobsPageToken(request.pageToken, tokenFilter),
    read: (before, limit) => store.listJobs(filter, { before, limit }),
    keyOf: (record) => record.id,
    async convert(records) {
      const nodeName = await names.read(records.map((record) => record.node));
      const isPrepared = ({ status: stored, at }: JobRecord) => stored === STORED_STATUS.WAITING && at <= now;
      const whyWaits = await from.whyPrepared(
        records.filter(({ status: stored }) => stored === STORED_STATUS.WAITING),
        now,
      );
      const whyRunning = await readWhyRunning(store, records);
      return (record, light) => {
        const prepared = isPrepared(record);
        const shown = light ? { ...record, spec: { ...record.spec, payload: null } } : record;
        const reason = prepared
          ? whyWaits(record)
          : whyWaiting(record) || whyRunning(record) || whyWaits(record);
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

/** Of jobs whose handler has not ended after a cancel. A claim that runs as it should has no row. */
async function readWhyRunning(
  store: JobStore,
  records: readonly JobRecord[],
): Promise<(record: JobRecord) => string> {
  const running = records.filter(({ status }) => status === STORED_STATUS.RUNNING).slice(0, MAX_EXPLAINED);
  if (running.length === 0) return () => "";
  const rows = await store.readFinalRows(running.map(({ id, claim }) => ({ jobId: id, claim })));
  return (record) => whyStillRunning(record, rows.get(record.id) ?? null);
}

/** PREPARED is not stored: it is waiting and due, and WAITING is waiting and not due. */
function filterOf(request: GetAllJobsRequest, now: number): JobFilter {
  return {
    ...statusFilter(request.status, now),
    ...(request.handler !== "" && { handler: request.handler }),
    ...(request.namePrefix !== "" && { namePrefix: request.namePrefix }),
    ...(request.parentId !== "" && { parentId: jobIdFromString(request.parentId, "parentId") }),
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
