/** Puts the rpc layer together: the services, what they call, and the port they are reached at. */
import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextValues,
  type MethodImpl,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { GUESSED, guessedLine, guesser } from "../../core/audit/guessed-tokens.ts";
import { RefusedCalls } from "../../core/audit/refused-calls.ts";
import { FORWARDED_FOR } from "../../core/call-headers.ts";
import { schedulesOfNode } from "../../core/callers/caller.ts";
import { SlowDown } from "../../core/callers/slow-down.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { Random } from "../../core/random.ts";
import type { Links } from "../../core/readiness/links.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import { ClusterService } from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import {
  JobService,
  type PutJobSetRequest,
  type PutJobSetResponse,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as OlderReflection } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Role } from "../../master/election/role.ts";
import type { JobStore } from "../../store/job-store.ts";
import type { Tls } from "../../tls/certificates.ts";
import { CALL_CALLER } from "../call-caller.ts";
import { CALL_CONNECTION, connectionValues } from "../connection.ts";
import { type Credentials, checkCaller } from "../credentials.ts";
import { createMasterCaller } from "../forwarding/master-call.ts";
import { createPeers } from "../forwarding/peers.ts";
import { tryLink } from "../forwarding/try-link.ts";
import { DEFAULT_LIMITS, maxJobBytes, type RpcLimits } from "../limits.ts";
import type { ClusterSecrets } from "../proof/cluster-secrets.ts";
import { createClusterService } from "../services/cluster-service.ts";
import { createHealthService } from "../services/health-service.ts";
import { createJobService } from "../services/job-service.ts";
import { createNodeNames } from "../services/node-names.ts";
import { createNodeService } from "../services/node-service.ts";
import { putJobSet } from "../services/put-job.ts";
import { createReflectionServices } from "../services/reflection-service.ts";
import { CALL_SHARE, createAdmission } from "./admission.ts";
import { answerInTime, noteTimeout } from "./answer-in-time.ts";
import { refuseBadTimeout } from "./call-timeout.ts";
import { errorInterceptor } from "./error-interceptor.ts";
import { jsonOptions } from "./exact-json.ts";
import { checkTimesOfJson, explainingJson } from "./explain-json.ts";
import { settleGrpcTrailers } from "./grpc-trailers.ts";
import { withLargeBodies } from "./large/large-bodies.ts";
import { metered } from "./metered-body.ts";
import { createOnePortServer, type OnePortServer } from "./one-port-server.ts";
import { answerProbe } from "./probes.ts";
import { refusePath } from "./refuse.ts";
import { refuseBinary } from "./refuse-binary.ts";
import { refuseEmptyJson } from "./request-gate.ts";
import { settleCall } from "./settle-call.ts";
import { storeRefusals } from "./store-refusals.ts";
import { wordedRefusals } from "./worded-refusals.ts";

/** Of what is decoded in one go: calls that hold no payload, and the others as long as they are small. */
const MAX_OTHER_CALL_BYTES = 256 * 1024;

/** Of calls that are taken in slices; null: of no such call. */
function mostBytesOf({ name, parent }: DescMethod, limits: RpcLimits): number | null {
  if (parent !== JobService) return null;
  const { method } = JobService;
  const has = (...of: readonly DescMethod[]) => of.some((one) => one.name === name);
  if (has(method.addJobs, method.streamAddJobs, method.putJobSet)) return limits.maxCallBytes;
  return has(method.addJob, method.putJob, method.updateJob) ? maxJobBytes(limits) : null;
}

export interface RpcServerOptions {
  readonly role: Role;
  /** Whether an add would be answered here now. */
  readonly whyNotReady: WhyNotReady;
  readonly store: JobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: { readonly incarnation: string; readonly nodeId: string };
  /** `ip:port` that others reach this node at; known once it listens. */
  readonly address: () => string;
  readonly limits?: Partial<RpcLimits>;
  /** By what nodes know each other. */
  readonly secrets: ClusterSecrets;
  readonly credentials: Credentials;
  /** How the port, and calls to other nodes, use TLS; null or missing: they do not. */
  readonly tls?: Tls | null;
  /** What becomes of connections to other nodes; with it, the one to the master is tried now and then. Default: nobody wants to know. */
  readonly links?: Links;
}

export interface RpcServer extends OnePortServer {
  /** As a call that comes in, without one: to the master, wherever it is. */
  putJobSet(request: PutJobSetRequest, signal: AbortSignal): Promise<PutJobSetResponse>;
}

export function createRpcServer(options: RpcServerOptions): RpcServer {
  const {
    role,
    whyNotReady,
    store,
    clock,
    random,
    logger,
    identity,
    secrets,
    credentials,
    tls = null,
    links,
  } = options;
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const closing = new AbortController();
  const admission = createAdmission(limits, clock);
  const peers = createPeers({
    maxCallBytes: limits.maxCallBytes,
    asking: { incarnation: identity.incarnation, secrets },
    tls,
    ...(links !== undefined && { links }),
  });
  if (links !== undefined) {
    void tryLink({ role, peers, clock, incarnation: identity.incarnation }, closing.signal);
  }
  const master = createMasterCaller({
    role,
    peers,
    clock,
    limits,
    incarnation: identity.incarnation,
    closing: closing.signal,
  });
  const names = createNodeNames(store, clock);
  const jobs = createJobService({
    role,
    whyNotReady,
    store,
    clock,
    random,
    master,
    names,
    limits,
    closing: closing.signal,
  });
  const cluster = createClusterService({
    master,
    store,
    whyNotReady,
    clock,
    closing: closing.signal,
    self: () => ({ nodeId: identity.nodeId, address: options.address() }),
  });
  const nodes = createNodeService({
    role,
    identity,
    address: options.address,
    secrets,
    limits,
    logger,
    closing: closing.signal,
  });

  const health = createHealthService({ whyNotReady, clock, closing: closing.signal });

  const keepRefusals = storeRefusals({ store, clock, random, logger });
  let storing = Promise.resolve();
  const refused = new RefusedCalls(clock, (calls) => {
    storing = storing.then(() => keepRefusals(calls));
  });
  const guesses = new RefusedCalls(clock, (calls) => {
    for (const call of calls) logger.warn(guessedLine(call), GUESSED);
  });
  const { reflection, older } = createReflectionServices(closing.signal);

  const slowDown = new SlowDown();
  const refuseSlowly = async (error: unknown, remote: string): Promise<never> => {
    const waitMs = isUnauthenticated(error) ? slowDown.waitMs(remote, clock.monotonic()) : 0;
    if (waitMs > 0) await sleep(clock, waitMs, closing.signal);
    throw error;
  };

  const large = (handle: UniversalHandler): UniversalHandler => {
    const mostBytes = mostBytesOf(handle.method, limits);
    if (mostBytes === null) return handle;
    const { maxPayloadBytes } = limits;
    return withLargeBodies(handle, { mostBytes, maxPayloadBytes, pause: (ms) => sleep(clock, ms) });
  };

  const handler = connectNodeAdapter({
    routes(router: ConnectRouter) {
      const { method } = JobService;
      const serve = <M extends DescMethod>(of: M, serves: MethodImpl<M>) =>
        router.rpc(of, serves, { jsonOptions: jsonOptions(of) });
      serve(method.addJobs, jobs.addJobs);
      serve(method.streamAddJobs, jobs.streamAddJobs);
      serve(method.addJob, jobs.addJob);
      serve(method.putJob, jobs.putJob);
      serve(method.putJobSet, jobs.putJobSet);
      serve(method.updateJob, jobs.updateJob);
      serve(method.deleteJob, jobs.deleteJob);
      serve(method.pauseJob, jobs.pauseJob);
      serve(method.resumeJob, jobs.resumeJob);
      serve(method.triggerJob, jobs.triggerJob);
      serve(method.cancelJob, jobs.cancelJob);
      serve(method.retryJob, jobs.retryJob);
      serve(method.getJobStatus, jobs.getJobStatus);
      serve(method.getAllJobs, jobs.getAllJobs);
      serve(method.getAllResult, jobs.getAllResult);
      serve(method.previewSchedule, jobs.previewSchedule);
      serve(method.watchJob, jobs.watchJob);
      router.service(ClusterService, cluster);
      router.service(NodeService, nodes, { readMaxBytes: limits.maxCallBytes });
      router.service(Health, health);
      router.service(ServerReflection, reflection);
      router.service(OlderReflection, older);
      for (const [index, handle] of router.handlers.entries())
        router.handlers[index] = metered(large(wordedRefusals(explainingJson(handle))));
    },
    readMaxBytes: MAX_OTHER_CALL_BYTES,
    maxTimeoutMs: limits.maxTimeoutMs,
    jsonOptions: jsonOptions(null),
    interceptors: [
      refuseBinary,
      checkTimesOfJson,
      errorInterceptor(logger, random, whyNotReady),
      answerInTime(clock),
    ],
    requestGate(context) {
      noteTimeout(context);
      refuseBadTimeout(context, limits.maxTimeoutMs);
      const connection = context.values.get(CALL_CONNECTION);
      try {
        const { from, caller } = checkCaller(context, credentials, (who, method) =>
          refused.note(who, method),
        );
        if (from === "node") connection.isOfNode();
        context.values.set(CALL_CALLER, caller);
      } catch (error) {
        const { requestHeader, method } = context;
        if (isUnauthenticated(error) && requestHeader.has("authorization")) {
          guesses.note(guesser(connection.remote, requestHeader.get(FORWARDED_FOR)), method.name);
        }
        return refuseSlowly(error, connection.remote);
      }
      refuseEmptyJson(context);
    },
    contextValues: (request) => connectionValues(request).set(CALL_SHARE, admission.shareOf(request)),
    fallback: answerProbe({ role, whyNotReady, closing: closing.signal, otherwise: refusePath }),
  });

  const server = createOnePortServer({
    handler(request, response) {
      if (!settleCall(request, response)) return;
      if (!admission.admit(request, response)) return;
      if (request.method === "GET") response.setHeader("cache-control", "no-store");
      settleGrpcTrailers(request, response);
      handler(request, response);
    },
    clock,
    logger,
    limits,
    tls,
  });
  return {
    listen: server.listen,
    putJobSet: (request, signal) =>
      putJobSet(
        request,
        {
          signal,
          timeoutMs: () => undefined,
          requestHeader: new Headers(),
          values: createContextValues().set(CALL_CALLER, schedulesOfNode(identity.nodeId)),
        },
        { master, limits },
      ),
    async close(graceMs) {
      // Ends our own streams and all that waits for a master; calls that run have the grace period.
      closing.abort();
      await server.close(graceMs);
      refused.tell();
      guesses.tell();
      await storing;
      peers.close();
    },
  };
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}
