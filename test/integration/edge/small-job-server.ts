/** A real Connect server with a small JobService in memory, for tests of what calls it: client, edge, command line. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { create as createMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  ClusterService,
  type GetClusterResponseSchema,
} from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { type Job, JobSchema, JobStatus, Outcome } from "../../../src/gen/elasticjob/v1/job_pb.ts";
import {
  type AddJobOutcome,
  AddJobOutcomeSchema,
  type AddJobRequest,
  AddJobRequestSchema,
  type AddJobResponse,
  AddJobResponseSchema,
  JobService,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";

export interface SeenCall {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

export interface SmallJobServer {
  readonly url: string;
  readonly port: number;
  readonly calls: SeenCall[];
  /** Jobs by id, in the order of their adding. */
  readonly jobs: Map<string, Job>;
  /** What it answers to GetCluster. */
  cluster: MessageInitShape<typeof GetClusterResponseSchema>;
  /** What it answers to `GET /readyz`. */
  isReady: boolean;
  /** Called before each method; may throw, or wait. */
  before: (method: string, context: HandlerContext) => void | Promise<void>;
  /** So many AddJobs calls answer `unavailable` for their last job, though it was added. */
  cutShort: number;
  /** Signals of the WatchJob streams that were opened. */
  readonly watchSignals: AbortSignal[];
  callsOf(method: string): SeenCall[];
  close(): Promise<void>;
}

const NOW = Date.parse("2026-11-22T08:00:00.250Z");

const resultOf = (job: Job) => ({
  jobId: job.jobId,
  attempt: 1,
  claim: 1,
  outcome: job.status === JobStatus.FAILED ? Outcome.FAILED : Outcome.SUCCEEDED,
  nodeId: "node-1",
  scheduledAt: timestampFromMs(NOW),
  startTime: timestampFromMs(NOW),
  endTime: timestampFromMs(NOW + 1_500),
  ...(job.status === JobStatus.FAILED
    ? { error: { name: "TypeError", message: "no\nluck" } }
    : job.payload && { output: job.payload }),
});
const stateOf = (job: Job) =>
  job.status === JobStatus.RUNNING ? { job } : { job, lastResult: resultOf(job) };

/** Handlers: `fail` ends FAILED, `slow` stays RUNNING, `unknown` is refused, all others succeed at once. */
export async function startSmallJobServer(port = 0, version: "1.1" | "2" = "1.1"): Promise<SmallJobServer> {
  const calls: SeenCall[] = [];
  const jobs = new Map<string, Job>();
  const answersByKey = new Map<string, AddJobOutcome[]>();
  const watchSignals: AbortSignal[] = [];

  function add(request: AddJobRequest): AddJobResponse {
    if (request.handler === "") throw new ConnectError("handler: required", Code.InvalidArgument);
    if (request.handler === "unknown") {
      throw new ConnectError('handler: no node offers "unknown"', Code.FailedPrecondition);
    }
    const { $typeName: _, ...fields } = request;
    const failed = request.handler === "fail";
    const job = createMessage(JobSchema, {
      ...fields,
      name: request.name || request.handler,
      jobId: String(jobs.size + 1),
      status: failed
        ? JobStatus.FAILED
        : request.handler === "slow"
          ? JobStatus.RUNNING
          : JobStatus.SUCCEEDED,
      attempt: 1,
      createTime: timestampFromMs(NOW),
      updateTime: timestampFromMs(NOW),
    });
    jobs.set(job.jobId, job);
    return createMessage(AddJobResponseSchema, {
      jobId: job.jobId,
      created: true,
      nextRunAt: timestampFromMs(NOW),
    });
  }

  /** As the real service does: the same call, made again under its key, gets the same answer. */
  function addAll(requests: readonly AddJobRequest[], key: string | null): AddJobOutcome[] {
    const known = key === null ? undefined : answersByKey.get(key);
    if (known !== undefined) return known;
    const outcomes = requests.map((request) => {
      try {
        return createMessage(AddJobOutcomeSchema, { outcome: { case: "added", value: add(request) } });
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        const name = code === Code.InvalidArgument ? "invalid_argument" : "failed_precondition";
        const value = { $typeName: "elasticjob.v1.AddJobFailure" as const, code: name, message: rawMessage };
        return createMessage(AddJobOutcomeSchema, { outcome: { case: "failure", value } });
      }
    });
    if (key !== null) answersByKey.set(key, outcomes);
    return outcomes;
  }

  function find(jobId: string): Job {
    const job = jobs.get(jobId);
    if (job === undefined) throw new ConnectError(`jobId: there is no job "${jobId}"`, Code.NotFound);
    return job;
  }

  function setStatus(jobId: string, status: JobStatus): Job {
    const job = find(jobId);
    job.status = status;
    return job;
  }

  const adapter = connectNodeAdapter({
    jsonOptions: { ignoreUnknownFields: false },
    fallback(request, response) {
      const status = request.url !== "/readyz" ? 404 : server.isReady ? 200 : 503;
      response.writeHead(status);
      response.end();
    },
    interceptors: [
      (next) => async (request) => {
        calls.push({ method: request.method.name, headers: Object.fromEntries(request.header) });
        return next(request);
      },
    ],
    routes: ({ service }) => {
      service(JobService, {
        async addJob(request, context) {
          await server.before("AddJob", context);
          const [outcome] = addAll([request], context.requestHeader.get("idempotency-key"));
          if (outcome?.outcome.case === "added") return outcome.outcome.value;
          const code = outcome?.outcome.value?.code === "invalid_argument" ? 3 : 9;
          throw new ConnectError(outcome?.outcome.value?.message ?? "", code);
        },
        async addJobs(request, context) {
          await server.before("AddJobs", context);
          const outcomes = addAll(request.jobs, context.requestHeader.get("idempotency-key"));
          if (server.cutShort-- <= 0) return { outcomes };
          const value = { code: "unavailable", message: "the mastership ended" };
          return { outcomes: [...outcomes.slice(0, -1), { outcome: { case: "failure", value } }] };
        },
        async updateJob(request, context) {
          await server.before("UpdateJob", context);
          const job = find(request.jobId);
          if (request.job?.name) job.name = request.job.name;
          return { job };
        },
        async pauseJob(request, context) {
          await server.before("PauseJob", context);
          return { job: setStatus(request.jobId, JobStatus.PAUSED) };
        },
        async resumeJob(request, context) {
          await server.before("ResumeJob", context);
          return { job: setStatus(request.jobId, JobStatus.WAITING) };
        },
        async cancelJob(request, context) {
          await server.before("CancelJob", context);
          const isMeant = request.scheduledAt === undefined || timestampMs(request.scheduledAt) === NOW;
          return { job: isMeant ? setStatus(request.jobId, JobStatus.CANCELLED) : find(request.jobId) };
        },
        async retryJob(request, context) {
          await server.before("RetryJob", context);
          return { job: setStatus(request.jobId, JobStatus.RUNNING) };
        },
        async triggerJob(request, context) {
          const key = context.requestHeader.get("idempotency-key");
          const [outcome] = addAll([createMessage(AddJobRequestSchema, { handler: "echo" })], key);
          await server.before("TriggerJob", context);
          const child = find(outcome?.outcome.case === "added" ? outcome.outcome.value.jobId : "");
          child.parentId = find(request.jobId).jobId;
          return { job: child };
        },
        async deleteJob(request, context) {
          find(request.jobId);
          jobs.delete(request.jobId);
          await server.before("DeleteJob", context);
          return {};
        },
        async getJobStatus(request, context) {
          await server.before("GetJobStatus", context);
          return stateOf(find(request.jobId));
        },
        async getAllJobs(request, context) {
          await server.before("GetAllJobs", context);
          const before = request.pageToken === "" ? Number.POSITIVE_INFINITY : Number(request.pageToken);
          const all = [...jobs.values()]
            .filter(({ status }) => request.status === 0 || status === request.status)
            .filter(({ name, jobId }) => name.startsWith(request.namePrefix) && Number(jobId) < before)
            .toReversed();
          const page = all.slice(0, request.pageSize || 100);
          return { jobs: page, nextPageToken: page.length < all.length ? (page.at(-1)?.jobId ?? "") : "" };
        },
        async getAllResult(request, context) {
          await server.before("GetAllResult", context);
          const all = [...jobs.values()].filter(({ jobId }) => !request.jobId || jobId === request.jobId);
          return { results: all.toReversed().map(resultOf) };
        },
        async previewSchedule(_request, context) {
          await server.before("PreviewSchedule", context);
          return { occurrences: [{ time: timestampFromMs(NOW) }], timeZoneData: "2025b" };
        },
        async *watchJob(request, context) {
          watchSignals.push(context.signal);
          await server.before("WatchJob", context);
          const job = find(request.jobId);
          yield stateOf(job);
          if (job.status !== JobStatus.RUNNING) return;
          await new Promise((resolve) => context.signal.addEventListener("abort", resolve, { once: true }));
        },
      });
      service(ClusterService, {
        async getCluster(_request, context) {
          await server.before("GetCluster", context);
          return server.cluster;
        },
      });
    },
  });
  const sockets = new Set<Socket>();
  const http = version === "2" ? createHttp2Server(adapter) : createServer(adapter);
  http.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => http.listen({ host: "127.0.0.1", port }, resolve));
  const taken = (http.address() as AddressInfo).port;
  const server: SmallJobServer = {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    calls,
    jobs,
    cluster: { masterNodeId: "node-1", epoch: 7 },
    isReady: true,
    before: () => {},
    cutShort: 0,
    watchSignals,
    callsOf: (method) => calls.filter((call) => call.method === method),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return server;
}

/** A port where nobody listens. */
export async function refusingPort(): Promise<number> {
  const server = await startSmallJobServer();
  await server.close();
  return server.port;
}
