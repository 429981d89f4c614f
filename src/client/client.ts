/**
 * The client, for browsers, Deno and Node: web APIs only. A call is tried again while the cluster is
 * `unavailable` (a failover), within its deadline. That is safe: reads change nothing, adds and triggers
 * carry an `Idempotency-Key` that all tries of one call share, a delete that finds nothing on a second try
 * was done by the first, and pausing, resuming or retrying a job twice is as good as once.
 */
import {
  type DescMessage,
  type DescMethodUnary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createClient as createRpcClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { ClusterService } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import {
  type AddJobOutcome,
  AddJobRequestSchema,
  type AddJobsRequest,
  AddJobsRequestSchema,
  JobService,
  WatchJobRequestSchema,
  WatchJobResponseSchema,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import { AddBatcher } from "./add-batcher.ts";
import { addedJob, addedOf } from "./add-outcome.ts";
import { AddStream } from "./add-stream.ts";
import type {
  AddedJob,
  AddJobInput,
  Cluster,
  InstantInput,
  Job,
  JobPage,
  JobQuery,
  JobResult,
  JobState,
  Preview,
  PreviewInput,
  ResultPage,
  ResultQuery,
  UpdateJobInput,
} from "./job-json.ts";
import { resumeWatch } from "./resume-watch.ts";
import { isNotRun, isUnavailable, isUnreachable, withRetries } from "./retry.ts";

/** Where to connect: an address of an edge or a node, or a Connect transport of your own. */
export type ClientOptions = ({ readonly baseUrl: string } | { readonly transport: Transport }) & {
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** What a call may take, retries included; default 10,000. */
  readonly timeoutMs?: number;
  /** False: fail at once when nothing answers at the address; default true, try until the deadline. */
  readonly retryUnreachable?: boolean;
  /** Most jobs that concurrent `addJob` calls send together, up to 10,000; default 1,000. */
  readonly maxBatchJobs?: number;
  /** For tests: what `Math.random` returns. */
  readonly random?: () => number;
};

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** What this call may take, retries included; default: the client's. */
  readonly timeoutMs?: number;
}

export interface CancelOptions extends CallOptions {
  /** Cancels only the occurrence of this time. */
  readonly scheduledAt?: InstantInput;
}

/** What became of one job of `addJobs`. */
export type AddOutcome = { readonly added: AddedJob } | { readonly error: ConnectError };

/**
 * Everything rejects with a `ConnectError`: `code` says what kind, `rawMessage` which field.
 * Codes: `docs` of `proto/elasticjob/v1/job_service.proto`.
 */
export interface ElasticJobClient {
  /** Adds a job; resolves after it is committed to the database. Concurrent calls share round trips. */
  addJob(job: AddJobInput): Promise<AddedJob>;
  /** Adds up to 10,000 jobs in one call, with an outcome for each, in order. */
  addJobs(jobs: readonly AddJobInput[], options?: CallOptions): Promise<AddOutcome[]>;
  /** With `revision` it is tried again only if nothing was done: a second try could not tell its own success from another's. */
  updateJob(update: UpdateJobInput, options?: CallOptions): Promise<Job>;
  deleteJob(jobId: string, options?: CallOptions): Promise<void>;
  pauseJob(jobId: string, options?: CallOptions): Promise<Job>;
  resumeJob(jobId: string, options?: CallOptions): Promise<Job>;
  /** Runs the job now, beside its schedule. Returns the new job, whose `parentId` is this one. */
  triggerJob(jobId: string, options?: CallOptions): Promise<Job>;
  /** Without `scheduledAt` it is tried again only if nothing was done: a second try would cancel the next occurrence too. */
  cancelJob(jobId: string, options?: CancelOptions): Promise<Job>;
  /** Runs a FAILED job again. */
  retryJob(jobId: string, options?: CallOptions): Promise<Job>;
  getJobStatus(jobId: string, options?: CallOptions): Promise<JobState>;
  /** One page. */
  getAllJobs(query?: JobQuery, options?: CallOptions): Promise<JobPage>;
  /** All pages, one job after another. */
  eachJob(query?: Omit<JobQuery, "pageToken">, options?: CallOptions): AsyncGenerator<Job, void>;
  /** One page. */
  getAllResult(query?: ResultQuery, options?: CallOptions): Promise<ResultPage>;
  /** All pages, one result after another. */
  eachResult(query?: Omit<ResultQuery, "pageToken">, options?: CallOptions): AsyncGenerator<JobResult, void>;
  previewSchedule(schedule: PreviewInput, options?: CallOptions): Promise<Preview>;
  /**
   * The job as it stands, then each change, until it has ended. It lasts as long as that takes and
   * survives failovers; leave the loop or abort `signal` to stop. `timeoutMs` bounds only how long
   * the cluster may be out of reach.
   */
  watchJob(jobId: string, options?: CallOptions): AsyncGenerator<JobState, void>;
  getCluster(options?: CallOptions): Promise<Cluster>;
}

/** A transport whose streams carry requests and answers at the same time. */
export interface DuplexTransport extends Transport {
  readonly isDuplex: true;
}

function isDuplex(transport: Transport): transport is DuplexTransport {
  return "isDuplex" in transport && transport.isDuplex === true;
}

/** Tells the tries of one call from another call. */
function newCallKey(): Record<string, string> {
  return { "idempotency-key": crypto.randomUUID() };
}

export function createClient(options: ClientOptions): ElasticJobClient {
  const transport =
    "transport" in options ? options.transport : createConnectTransport({ baseUrl: options.baseUrl });
  const { timeoutMs: defaultTimeoutMs = 10_000, random = Math.random, retryUnreachable = true } = options;
  const jobService = createRpcClient(JobService, transport);
  const retryable = retryUnreachable
    ? isUnavailable
    : (error: unknown) => isUnavailable(error) && !isUnreachable(error);
  const headers = (extra: Record<string, string> = {}): Record<string, string> =>
    options.token === undefined ? extra : { ...extra, authorization: `Bearer ${options.token}` };

  const addStream = isDuplex(transport) ? new AddStream(transport, headers) : null;

  async function transmit<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    signal: AbortSignal | undefined,
    timeoutMs: number,
    extraHeaders: Record<string, string> = {},
  ): Promise<MessageShape<O>> {
    // A whole message is also a valid beginning of one; TypeScript can't see that for every I.
    const message = request as unknown as MessageInitShape<I>;
    return (await transport.unary(method, signal, timeoutMs, headers(extraHeaders), message)).message;
  }

  /** A call that only needs its JSON carried there and back. */
  async function callJson<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: unknown,
    callOptions: CallOptions = {},
    extra: { retryable?: (error: unknown) => boolean; headers?: Record<string, string> } = {},
  ): Promise<JsonValue> {
    const { signal, timeoutMs = defaultTimeoutMs } = callOptions;
    const message = input(method.input, JSON.stringify(request));
    const answer = await withRetries((leftMs) => transmit(method, message, signal, leftMs, extra.headers), {
      deadlineMs: timeoutMs,
      signal,
      retryable: extra.retryable ?? retryable,
      random,
    });
    return output(method.output, answer);
  }

  /** A call that answers with the job as it then is. */
  async function jobAfter<I extends DescMessage, O extends DescMessage>(
    ...call: Parameters<typeof callJson<I, O>>
  ): Promise<Job> {
    return ((await callJson(...call)) as unknown as { job: Job }).job;
  }

  /** On the stream first, where there is one; what failed there is tried again as a call. */
  async function transmitAdds(
    request: AddJobsRequest,
    key: Record<string, string>,
    { signal, timeoutMs, retry }: { signal: AbortSignal | undefined; timeoutMs: number; retry: number },
  ): Promise<readonly AddJobOutcome[]> {
    const { "idempotency-key": idempotencyKey = "" } = key;
    if (addStream?.isSupported && retry === 0) {
      try {
        return await addStream.send({ jobs: request.jobs, idempotencyKey, timeoutMs, signal });
      } catch (error) {
        if (ConnectError.from(error).code !== Code.Unimplemented) throw error;
      }
    }
    return (await transmit(JobService.method.addJobs, request, signal, timeoutMs, key)).outcomes;
  }

  /** A call of which some adds met a failover is made again as a whole: under its key, those that were added stay so. */
  async function sendAdds(
    request: AddJobsRequest,
    callOptions: CallOptions,
  ): Promise<readonly AddJobOutcome[]> {
    const { signal, timeoutMs = defaultTimeoutMs } = callOptions;
    const key = newCallKey();
    let answered: readonly AddJobOutcome[] | null = null;
    try {
      return await withRetries(
        async (leftMs, retry) => {
          const outcomes = await transmitAdds(request, key, { signal, timeoutMs: leftMs, retry });
          answered = outcomes;
          const cutShort = outcomes.map(addedOf).find(isUnavailable);
          if (cutShort !== undefined) throw cutShort;
          return outcomes;
        },
        { deadlineMs: timeoutMs, signal, retryable, random },
      );
    } catch (error) {
      if (answered !== null) return answered;
      throw error;
    }
  }

  const batcher = new AddBatcher({
    send: (jobs, timeoutMs) => sendAdds({ $typeName: "elasticjob.v1.AddJobsRequest", jobs }, { timeoutMs }),
    timeoutMs: defaultTimeoutMs,
    maxBatchJobs: options.maxBatchJobs ?? 1_000,
    maxBatchBytes: 4 * 1024 * 1024,
    maxQueuedBytes: 64 * 1024 * 1024,
  });

  const client: ElasticJobClient = {
    async addJob(job) {
      const text = JSON.stringify(job);
      const added = await batcher.add(input(AddJobRequestSchema, text), text.length);
      return addedJob(added);
    },
    async addJobs(jobs, callOptions = {}) {
      const outcomes = await sendAdds(input(AddJobsRequestSchema, JSON.stringify({ jobs })), callOptions);
      return outcomes.map((outcome) => {
        const added = addedOf(outcome);
        if (added instanceof ConnectError) return { error: added };
        return { added: addedJob(added) };
      });
    },
    updateJob(update, callOptions) {
      const once = update.revision === undefined ? {} : { retryable: isNotRun };
      return jobAfter(JobService.method.updateJob, update, callOptions, once);
    },
    async deleteJob(jobId, { signal, timeoutMs = defaultTimeoutMs } = {}) {
      await withRetries(
        async (leftMs, retry) => {
          try {
            await jobService.deleteJob(
              { jobId },
              { timeoutMs: leftMs, headers: headers(), ...(signal && { signal }) },
            );
          } catch (error) {
            if (retry > 0 && ConnectError.from(error).code === Code.NotFound) return;
            throw error;
          }
        },
        { deadlineMs: timeoutMs, signal, retryable, random },
      );
    },
    pauseJob: (jobId, callOptions) => jobAfter(JobService.method.pauseJob, { jobId }, callOptions),
    resumeJob: (jobId, callOptions) => jobAfter(JobService.method.resumeJob, { jobId }, callOptions),
    triggerJob: (jobId, callOptions) =>
      jobAfter(JobService.method.triggerJob, { jobId }, callOptions, { headers: newCallKey() }),
    cancelJob(jobId, { scheduledAt, ...callOptions } = {}) {
      const once = scheduledAt === undefined ? { retryable: isNotRun } : {};
      return jobAfter(JobService.method.cancelJob, { jobId, scheduledAt }, callOptions, once);
    },
    retryJob: (jobId, callOptions) => jobAfter(JobService.method.retryJob, { jobId }, callOptions),
    async getJobStatus(jobId, callOptions) {
      return (await callJson(JobService.method.getJobStatus, { jobId }, callOptions)) as unknown as JobState;
    },
    async getAllJobs(query = {}, callOptions) {
      return (await callJson(JobService.method.getAllJobs, query, callOptions)) as unknown as JobPage;
    },
    async *eachJob(query = {}, callOptions) {
      let pageToken = "";
      do {
        const page = await client.getAllJobs({ ...query, pageToken }, callOptions);
        yield* page.jobs;
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    },
    async getAllResult(query = {}, callOptions) {
      return (await callJson(JobService.method.getAllResult, query, callOptions)) as unknown as ResultPage;
    },
    async *eachResult(query = {}, callOptions) {
      let pageToken = "";
      do {
        const page = await client.getAllResult({ ...query, pageToken }, callOptions);
        yield* page.results;
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    },
    async previewSchedule(schedule, callOptions) {
      return (await callJson(JobService.method.previewSchedule, schedule, callOptions)) as unknown as Preview;
    },
    async *watchJob(jobId, { signal, timeoutMs = defaultTimeoutMs } = {}) {
      const request = input(WatchJobRequestSchema, JSON.stringify({ jobId }));
      const open = (streamSignal: AbortSignal) =>
        jobService.watchJob(request, { headers: headers(), signal: streamSignal });
      for await (const state of resumeWatch(open, { outageMs: timeoutMs, signal, retryable, random })) {
        yield output(WatchJobResponseSchema, state) as unknown as JobState;
      }
    },
    async getCluster(callOptions) {
      return (await callJson(ClusterService.method.getCluster, {}, callOptions)) as unknown as Cluster;
    },
  };
  return client;
}

function input<Desc extends DescMessage>(schema: Desc, json: string): MessageShape<Desc> {
  try {
    return fromJson(schema, JSON.parse(json) as JsonValue);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, error);
  }
}

/** Fields that hold their default are written too: a caller finds `created: false`, not nothing. */
function output<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}
