/**
 * The client, for browsers, Deno and Node: web APIs only. A call is tried again while the cluster is
 * `unavailable` (a failover), within its deadline. That is safe: reads change nothing, adds and triggers
 * carry an `Idempotency-Key` that all tries of one call share, a delete that finds nothing on a second try
 * was done by the first, and pausing, resuming, retrying or putting a job twice is as good as once.
 */
import type {
  DescMessage,
  DescMethodUnary,
  JsonValue,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createClient as createRpcClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { type Contract, checkContract } from "../contract/contract.ts";
import { IDEMPOTENCY_KEY } from "../core/call-headers.ts";
import { tokenProblem } from "../core/callers/bearer-token.ts";
import { ClusterService } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import {
  JobService,
  WatchJobLogRequestSchema,
  WatchJobLogResponseSchema,
  WatchJobRequestSchema,
  WatchJobResponseSchema,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import { AddBatcher } from "./add-batcher.ts";
import { AddSender } from "./add-sender.ts";
import { AddStream } from "./add-stream.ts";
import { startAdding } from "./adding.ts";
import { withContract } from "./checked-adds.ts";
import type { CallOptions, ClientOptions, DuplexTransport, ElasticJobClient } from "./elastic-job-client.ts";
import { Templates } from "./encode-table.ts";
import type { Described } from "./handler-types.ts";
import type {
  AuditPage,
  Cluster,
  HandlerPage,
  Job,
  JobLogLine,
  JobLogPage,
  JobPage,
  JobState,
  Preview,
  PutJob,
  ResultPage,
  UpdateJobInput,
} from "./job-json.ts";
import { fromInput, inputText, toOutput } from "./json-message.ts";
import { resumeWatch } from "./resume-watch.ts";
import { newCallKey } from "./retry-keys.ts";
import { isNotRun, isUnavailable, isUnreachable, withRetries } from "./retry-policy.ts";

function isDuplex(transport: Transport): transport is DuplexTransport {
  return "isDuplex" in transport && transport.isDuplex === true;
}

export function createClient<const D extends Described = Contract>(
  options: ClientOptions<D>,
): ElasticJobClient<D> {
  const { contract } = options;
  if (contract !== undefined) checkContract(contract, "createClient");
  const transport =
    "transport" in options ? options.transport : createConnectTransport({ baseUrl: options.baseUrl });
  const { timeoutMs: defaultTimeoutMs = 10_000, random = Math.random, retryUnreachable = true } = options;
  const jobService = createRpcClient(JobService, transport);
  const retryable = retryUnreachable
    ? isUnavailable
    : (error: unknown) => isUnavailable(error) && !isUnreachable(error);
  const wrongToken = options.token === undefined ? null : tokenProblem(options.token);
  const headers = (extra: Record<string, string> = {}): Record<string, string> => {
    if (wrongToken !== null) throw new ConnectError(`token: ${wrongToken}`, Code.InvalidArgument);
    return options.token === undefined ? extra : { ...extra, authorization: `Bearer ${options.token}` };
  };

  const templates = new Templates();

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
    const message = fromInput(method.input, inputText(request));
    const answer = await withRetries((leftMs) => transmit(method, message, signal, leftMs, extra.headers), {
      deadlineMs: timeoutMs,
      signal,
      retryable: extra.retryable ?? retryable,
      random,
    });
    return toOutput(method.output, answer);
  }

  /** A call that answers with the job as it then is. */
  async function jobAfter<I extends DescMessage, O extends DescMessage>(
    ...call: Parameters<typeof callJson<I, O>>
  ): Promise<Job> {
    return ((await callJson(...call)) as unknown as { job: Job }).job;
  }

  const adds = new AddSender({
    stream: isDuplex(transport) ? new AddStream(transport, headers) : null,
    call: (request, key, timeoutMs, signal) =>
      transmit(JobService.method.addJobs, request, signal, timeoutMs, { [IDEMPOTENCY_KEY]: key }),
    retryable,
    random,
  });

  const batcher = new AddBatcher({
    send: (jobs, timeoutMs) => adds.send(jobs, timeoutMs),
    timeoutMs: defaultTimeoutMs,
    maxBatchJobs: options.maxBatchJobs ?? 1_000,
    maxBatchBytes: 4 * 1024 * 1024,
    maxQueuedBytes: 64 * 1024 * 1024,
  });

  const client: ElasticJobClient = {
    add: (handler, payload, how) => startAdding(client, { ...how, handler, payload }),
    addJob: async (job) => batcher.add(templates.tableJob(job)),
    async addJobs(jobs, { signal, timeoutMs = defaultTimeoutMs } = {}) {
      const rows = jobs.map((job) => templates.tableJob(job));
      const outcomes = await adds.send(rows, timeoutMs, signal);
      return outcomes.map((outcome) =>
        outcome instanceof ConnectError ? { error: outcome } : { added: outcome },
      );
    },
    async putJob(idempotencyKey, job, callOptions) {
      const request = { idempotencyKey, job };
      return (await callJson(JobService.method.putJob, request, callOptions)) as unknown as PutJob;
    },
    async updateJob(update, callOptions) {
      const once = update.revision === undefined ? {} : { retryable: isNotRun };
      const request = { ...update, job: asRead(update.job) };
      const answer = await callJson(JobService.method.updateJob, request, callOptions, once);
      const { job, changed = true } = answer as unknown as { job: Job; changed?: boolean };
      return { ...job, changed };
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
      jobAfter(JobService.method.triggerJob, { jobId }, callOptions, {
        headers: { [IDEMPOTENCY_KEY]: newCallKey() },
      }),
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
      const read = (pageToken: string) => client.getAllJobs({ ...query, pageToken }, callOptions);
      for await (const page of pages(read)) yield* page.jobs;
    },
    async getAllResult(query = {}, callOptions) {
      return (await callJson(JobService.method.getAllResult, query, callOptions)) as unknown as ResultPage;
    },
    async *eachResult(query = {}, callOptions) {
      const read = (pageToken: string) => client.getAllResult({ ...query, pageToken }, callOptions);
      for await (const page of pages(read)) yield* page.results;
    },
    async previewSchedule(schedule, callOptions) {
      return (await callJson(JobService.method.previewSchedule, schedule, callOptions)) as unknown as Preview;
    },
    async *watchJob(jobId, { signal, timeoutMs = defaultTimeoutMs } = {}) {
      const request = fromInput(WatchJobRequestSchema, JSON.stringify({ jobId }));
      const open = (streamSignal: AbortSignal) =>
        jobService.watchJob(request, { headers: headers(), signal: streamSignal });
      for await (const state of resumeWatch(open, { outageMs: timeoutMs, signal, retryable, random })) {
        yield toOutput(WatchJobResponseSchema, state) as unknown as JobState;
      }
    },
    async getJobLog(query, callOptions) {
      return (await callJson(JobService.method.getJobLog, query, callOptions)) as unknown as JobLogPage;
    },
    async *eachLogLine(query, callOptions) {
      const read = (pageToken: string) => client.getJobLog({ ...query, pageToken }, callOptions);
      for await (const page of pages(read)) yield* page.lines;
    },
    async *watchJobLog(jobId, { claim: asked = 0, signal, timeoutMs = defaultTimeoutMs } = {}) {
      let claim = asked;
      let afterSequence = 0;
      const open = (streamSignal: AbortSignal) => {
        const request = fromInput(WatchJobLogRequestSchema, JSON.stringify({ jobId, claim, afterSequence }));
        return jobService.watchJobLog(request, { headers: headers(), signal: streamSignal });
      };
      for await (const answer of resumeWatch(open, { outageMs: timeoutMs, signal, retryable, random })) {
        ({ claim } = answer);
        afterSequence = answer.lines.at(-1)?.sequence ?? afterSequence;
        const { lines } = toOutput(WatchJobLogResponseSchema, answer) as unknown as { lines: JobLogLine[] };
        yield* lines;
      }
    },
    async getCluster(callOptions) {
      return (await callJson(ClusterService.method.getCluster, {}, callOptions)) as unknown as Cluster;
    },
    async getHandlers(query = {}, callOptions) {
      return (await callJson(
        ClusterService.method.getHandlers,
        query,
        callOptions,
      )) as unknown as HandlerPage;
    },
    async *eachHandler(query = {}, callOptions) {
      const read = (pageToken: string) => client.getHandlers({ ...query, pageToken }, callOptions);
      for await (const page of pages(read)) yield* page.handlers;
    },
    async drainNode(nodeId, callOptions) {
      await callJson(ClusterService.method.drainNode, { nodeId }, callOptions);
    },
    async undrainNode(nodeId, callOptions) {
      await callJson(ClusterService.method.undrainNode, { nodeId }, callOptions);
    },
    async getAudit(query = {}, callOptions) {
      return (await callJson(ClusterService.method.getAudit, query, callOptions)) as unknown as AuditPage;
    },
    async *eachAuditRecord(query = {}, callOptions) {
      const read = (pageToken: string) => client.getAudit({ ...query, pageToken }, callOptions);
      for await (const page of pages(read)) yield* page.records;
    },
  };
  const made = contract === undefined ? client : withContract(client, contract, defaultTimeoutMs);
  // It is by its types alone that it knows handlers.
  return made as ElasticJobClient<D>;
}

/** A job that an update has answered can be sent back, as all others can. */
function asRead(job: UpdateJobInput["job"]): UpdateJobInput["job"] {
  if (!("changed" in job)) return job;
  const { changed: _, ...rest } = job;
  return rest;
}

async function* pages<Page extends { readonly nextPageToken: string }>(
  read: (pageToken: string) => Promise<Page>,
): AsyncGenerator<Page, void> {
  let pageToken = "";
  do {
    const page = await read(pageToken);
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
