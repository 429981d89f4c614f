/** Puts the rpc layer together: the services, what they call, and the port they are reached at. */
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { Random } from "../../core/random.ts";
import { ClusterService } from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { Role } from "../../master/election/role.ts";
import type { JobStore } from "../../store/job-store.ts";
import { connectionValues } from "../connection.ts";
import { type Credentials, checkCaller, NO_CREDENTIALS } from "../credentials.ts";
import { createMasterCaller } from "../forwarding/master-call.ts";
import { createPeers } from "../forwarding/peers.ts";
import { DEFAULT_LIMITS, maxJobBytes, type RpcLimits } from "../limits.ts";
import { createClusterService } from "../services/cluster-service.ts";
import { createJobService } from "../services/job-service.ts";
import { createNodeNames } from "../services/node-names.ts";
import { createNodeService } from "../services/node-service.ts";
import { errorInterceptor } from "./error-interceptor.ts";
import { checkTimesOfJson, explainingJson } from "./explain-json.ts";
import { sendPlainGrpcMessage } from "./grpc-message.ts";
import { createOnePortServer, type OnePortServer } from "./one-port-server.ts";
import { answerProbe } from "./probes.ts";
import { refuse, refusePath, settleContentType } from "./refuse.ts";
import { refuseEmptyJson } from "./request-gate.ts";
import { wordedRefusals } from "./worded-refusals.ts";

export interface RpcServerOptions {
  readonly role: Role;
  readonly store: JobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: { readonly incarnation: string; readonly nodeId: string };
  /** `ip:port` that others reach this node at; known once it listens. */
  readonly address: () => string;
  readonly limits?: Partial<RpcLimits>;
  /** Default: none, everybody may call. */
  readonly credentials?: Credentials;
}

export function createRpcServer(options: RpcServerOptions): OnePortServer {
  const { role, store, clock, random, logger, identity, credentials = NO_CREDENTIALS } = options;
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const closing = new AbortController();
  const peers = createPeers({ maxCallBytes: limits.maxCallBytes, credentials });
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
    clock,
    closing: closing.signal,
    self: () => ({ nodeId: identity.nodeId, address: options.address() }),
  });
  const nodes = createNodeService({ role, identity, limits, logger, closing: closing.signal });

  const handler = connectNodeAdapter({
    routes(router: ConnectRouter) {
      const method = JobService.method;
      const oneJob = { readMaxBytes: maxJobBytes(limits) };
      router.rpc(method.addJobs, jobs.addJobs, { readMaxBytes: limits.maxCallBytes });
      router.rpc(method.streamAddJobs, jobs.streamAddJobs, { readMaxBytes: limits.maxCallBytes });
      router.rpc(method.addJob, jobs.addJob, oneJob);
      router.rpc(method.updateJob, jobs.updateJob, oneJob);
      router.rpc(method.deleteJob, jobs.deleteJob);
      router.rpc(method.pauseJob, jobs.pauseJob);
      router.rpc(method.resumeJob, jobs.resumeJob);
      router.rpc(method.triggerJob, jobs.triggerJob);
      router.rpc(method.cancelJob, jobs.cancelJob);
      router.rpc(method.retryJob, jobs.retryJob);
      router.rpc(method.getJobStatus, jobs.getJobStatus);
      router.rpc(method.getAllJobs, jobs.getAllJobs);
      router.rpc(method.getAllResult, jobs.getAllResult);
      router.rpc(method.previewSchedule, jobs.previewSchedule);
      router.rpc(method.watchJob, jobs.watchJob);
      router.service(ClusterService, cluster);
      router.service(NodeService, nodes, { readMaxBytes: limits.maxCallBytes });
      for (const [index, handle] of router.handlers.entries())
        router.handlers[index] = wordedRefusals(explainingJson(handle));
    },
    readMaxBytes: 1024 * 1024,
    maxTimeoutMs: limits.maxTimeoutMs,
    // A misspelt field would otherwise be dropped without a word.
    jsonOptions: { ignoreUnknownFields: false },
    interceptors: [checkTimesOfJson, errorInterceptor(logger, random)],
    requestGate(context) {
      checkCaller(context, credentials);
      refuseEmptyJson(context);
    },
    contextValues: connectionValues,
    fallback: answerProbe({ role, closing: closing.signal, otherwise: refusePath }),
  });

  const server = createOnePortServer({
    handler(request, response) {
      const problem = settleContentType(request);
      if (problem !== null) return refuse(response, 415, "invalid_argument", problem);
      sendPlainGrpcMessage(request, response);
      handler(request, response);
    },
    clock,
    logger,
    sniffMs: limits.sniffMs,
  });
  return {
    listen: server.listen,
    async close(graceMs) {
      // Ends our own streams and all that waits for a master; calls that run have the grace period.
      closing.abort();
      await server.close(graceMs);
      peers.close();
    },
  };
}
