/**
 * What attempts have said, at any node: read from the database, where the node that runs one writes it. The log of a claim
 * is whole when its result is there, so whoever first sees that a claim does not run any more, and then reads, misses nothing.
 */
import { create } from "@bufbuild/protobuf";
import { type Clock, sleep } from "../../core/clock.ts";
import { invalidArgument } from "../../core/errors.ts";
import { hasEnded, STORED_STATUS } from "../../core/job.ts";
import type { NumberedLine } from "../../core/log/log-line.ts";
import {
  type GetJobLogRequest,
  type GetJobLogResponse,
  GetJobLogResponseSchema,
  type WatchJobLogRequest,
  type WatchJobLogResponse,
  WatchJobLogResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import { jobNotFound } from "../../master/job-api.ts";
import type { JobStore } from "../../store/job-store.ts";
import { jobIdFromString } from "../conversion/job-id.ts";
import { logLineToMessage } from "../conversion/log-line-message.ts";
import { logPageToken, readLogPageToken } from "../conversion/page-token.ts";
import { notRun } from "../error-codes.ts";
import { pageSizeOf } from "./page-size.ts";

/** How often a log that is followed is looked at. */
const LOOK_MS = 500;

type LogStore = Pick<JobStore, "readJobs" | "readLog" | "newestLogged">;

/** A claim whose log is asked for. */
interface Subject {
  /** 0: there is none. */
  readonly claim: number;
  readonly isRunning: boolean;
  /** No claim runs any more, nor will. */
  readonly isOver: boolean;
}

export async function getJobLog(request: GetJobLogRequest, store: LogStore): Promise<GetJobLogResponse> {
  const jobId = jobIdFromString(request.jobId);
  const filter = { jobId, claim: request.claim };
  const size = pageSizeOf(request.pageSize);
  const from = readLogPageToken(request.pageToken, filter);
  const { claim, isRunning } = await subjectOf(store, jobId, from?.claim ?? request.claim);
  const lines = await store.readLog({ jobId, claim }, from?.sequence ?? 0);
  const page = lines.slice(0, size);
  const last = page.at(-1);
  const hasMore = last !== undefined && lines.length > size;
  return create(GetJobLogResponseSchema, {
    claim,
    lines: page.map(logLineToMessage),
    nextPageToken: hasMore ? logPageToken(filter, { claim, sequence: last.sequence }) : "",
    running: isRunning,
  });
}

export async function* watchJobLog(
  request: WatchJobLogRequest,
  parts: {
    readonly store: LogStore;
    readonly clock: Clock;
    /** The caller's. */
    readonly signal: AbortSignal;
    /** The node is stopping. */
    readonly closing: AbortSignal;
  },
): AsyncGenerator<WatchJobLogResponse> {
  const { store, clock, signal, closing } = parts;
  const jobId = jobIdFromString(request.jobId);
  const stop = AbortSignal.any([signal, closing]);
  let { claim, afterSequence } = request;
  if (claim === 0 && afterSequence !== 0) {
    const message = `is ${afterSequence}; without a claim, whose lines it numbers, only 0 is accepted`;
    throw invalidArgument([{ field: "afterSequence", message }]);
  }
  for (let isFirst = true; !stop.aborted; isFirst = false) {
    const subject = await subjectOf(store, jobId, claim);
    const isNew = claim !== subject.claim;
    claim = subject.claim;
    const lines: NumberedLine[] = claim === 0 ? [] : await store.readLog({ jobId, claim }, afterSequence);
    afterSequence = lines.at(-1)?.sequence ?? afterSequence;
    if (isFirst || isNew || lines.length > 0) {
      yield create(WatchJobLogResponseSchema, { claim, lines: lines.map(logLineToMessage) });
    }
    if (claim === 0 ? subject.isOver : !subject.isRunning) return;
    await sleep(clock, LOOK_MS, stop);
  }
  if (closing.aborted) throw notRun("this node is stopping; follow the log at another one");
}

/** `claim` 0: the one that runs, else the newest that has said anything. */
async function subjectOf(store: LogStore, jobId: number, claim: number): Promise<Subject> {
  const record = (await store.readJobs([jobId])).get(jobId);
  const running = record?.status === STORED_STATUS.RUNNING ? record.claim : 0;
  const isOver = record === undefined || hasEnded(record);
  if (claim !== 0 && record !== undefined) return { claim, isRunning: claim === running, isOver };
  if (running !== 0) return { claim: running, isRunning: true, isOver };
  const newest = await store.newestLogged(jobId);
  if (newest === null && record === undefined) throw jobNotFound(jobId);
  return { claim: claim === 0 ? (newest ?? 0) : claim, isRunning: false, isOver };
}
