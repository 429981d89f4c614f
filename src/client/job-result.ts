import { Code, ConnectError } from "@connectrpc/connect";
import { abortWith } from "./abort-with.ts";
import type { JobResult, JobState, Outcome } from "./job-json.ts";

export interface ResultOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the job's end; default 600,000. */
  readonly timeoutMs?: number;
}

/** Of setTimeout: a longer time would be none. */
const MOST_TIMEOUT_MS = 2 ** 31 - 1;
const DEFAULT_TIMEOUT_MS = 600_000;

/** The job has ended, and not with a success. */
export class JobResultError extends Error {
  override readonly name: string = "JobResultError";
  readonly jobId: string;
  /** How its last attempt ended. */
  readonly outcome: Outcome;
  /** What the handler threw; undefined: it did not end by that. */
  readonly error: JobResult["error"];

  constructor(jobId: string, { outcome, error, reason }: Pick<JobResult, "outcome" | "error" | "reason">) {
    const why = error === undefined ? reason : `${error.name}: ${error.message}`;
    super(`job ${jobId} ended ${outcome.replace("OUTCOME_", "")}${why === "" ? "" : `: ${why}`}`);
    this.jobId = jobId;
    this.outcome = outcome;
    this.error = error;
  }
}

/** Waits for the end of a job that runs once. */
export async function resultOf(
  client: { watchJob(jobId: string, options: { signal: AbortSignal }): AsyncIterable<JobState> },
  jobId: string,
  { signal: given, timeoutMs = DEFAULT_TIMEOUT_MS }: ResultOptions,
): Promise<unknown> {
  if (!(timeoutMs > 0)) {
    throw new ConnectError(
      `timeoutMs: is ${timeoutMs}; milliseconds above 0 are accepted`,
      Code.InvalidArgument,
    );
  }
  const stop = new AbortController();
  const part = abortWith(stop, given);
  let isOver = false;
  const over = () => {
    isOver = true;
    stop.abort();
  };
  const timer = setTimeout(over, Math.min(timeoutMs, MOST_TIMEOUT_MS));
  let last: JobState | undefined;
  try {
    for await (const state of client.watchJob(jobId, { signal: stop.signal })) {
      last = state;
      refuseRecurring(jobId, state);
      if (hasEnded(state)) break;
    }
  } catch (error) {
    if (!isOver || given?.aborted) throw error;
    const status = last === undefined ? "" : `, and is ${last.job.status?.replace("JOB_STATUS_", "")}`;
    throw new ConnectError(
      `job ${jobId} has not ended within ${timeoutMs} ms${status}`,
      Code.DeadlineExceeded,
    );
  } finally {
    clearTimeout(timer);
    part();
  }
  if (last === undefined || !hasEnded(last))
    throw new ConnectError(`job ${jobId} was deleted`, Code.NotFound);
  return outputOf(jobId, last);
}

function outputOf(jobId: string, { job, lastResult }: JobState): unknown {
  if (lastResult === undefined) {
    throw new ConnectError(
      `job ${jobId} has ended ${job.status}, and its result is not there`,
      Code.NotFound,
    );
  }
  if (lastResult.outcome !== "OUTCOME_SUCCEEDED") throw new JobResultError(jobId, lastResult);
  return lastResult.output;
}

function hasEnded({ job: { status } }: JobState): boolean {
  return (
    status === "JOB_STATUS_SUCCEEDED" || status === "JOB_STATUS_FAILED" || status === "JOB_STATUS_CANCELLED"
  );
}

function refuseRecurring(jobId: string, { job }: JobState): void {
  if (job.cron === undefined && job.daily === undefined && job.interval === undefined) return;
  throw new ConnectError(
    `job ${jobId} runs again and again: eachResult lists its results, and watchJob tells of each`,
    Code.InvalidArgument,
  );
}
