/** The cluster, for operators and the console. Only the master knows it; other nodes ask it. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type Clock, sleep } from "../../core/clock.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import {
  type ClusterService,
  DrainNodeResponseSchema,
  type GetClusterResponse,
  GetClusterResponseSchema,
  UndrainNodeResponseSchema,
  WatchClusterResponseSchema,
} from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import type { JobApi } from "../../master/job-api.ts";
import type { JobStore } from "../../store/job-store.ts";
import type { CallContext, MasterCaller } from "../forwarding/master-call.ts";
import { changeBy } from "./audited-change.ts";
import { listAudit } from "./list-audit.ts";
import { listHandlers } from "./list-handlers.ts";

const WATCH_EVERY_MS = 1000;

export function createClusterService(options: {
  readonly master: MasterCaller;
  readonly store: JobStore;
  readonly whyNotReady: WhyNotReady;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  /** This node, as the cluster shows it while it is master. */
  readonly self: () => { readonly nodeId: string; readonly address: string };
}): ServiceImpl<typeof ClusterService> {
  const { master, whyNotReady, clock, closing } = options;

  const read = (context: CallContext) =>
    master.call(context, {
      repeatable: true,
      forward: (peer, call) => peer.cluster.getCluster({}, call),
      onMaster: (api) => clusterToMessage(api, options.self(), whyNotReady),
    });

  return {
    getCluster: (_request, context: HandlerContext) => read(context),

    async *watchCluster(_request, context: HandlerContext) {
      const stop = AbortSignal.any([context.signal, closing]);
      let shown = "";
      while (!stop.aborted) {
        const cluster = await read(context);
        const state = JSON.stringify(cluster);
        if (state !== shown) yield create(WatchClusterResponseSchema, { cluster });
        shown = state;
        await sleep(clock, WATCH_EVERY_MS, stop);
      }
    },

    drainNode: (request, context: HandlerContext) =>
      master.call(context, {
        repeatable: true,
        forward: (peer, call) => peer.cluster.drainNode(request, call),
        async onMaster(api) {
          const { nodeId } = request;
          await api.audited(changeBy(context, { nodeId }), () => api.drainNode(nodeId));
          return create(DrainNodeResponseSchema);
        },
      }),

    undrainNode: (request, context: HandlerContext) =>
      master.call(context, {
        repeatable: true,
        forward: (peer, call) => peer.cluster.undrainNode(request, call),
        async onMaster(api) {
          const { nodeId } = request;
          await api.audited(changeBy(context, { nodeId }), () => api.undrainNode(nodeId));
          return create(UndrainNodeResponseSchema);
        },
      }),

    getAudit: (request) => listAudit(request, options.store),

    getHandlers: (request, context: HandlerContext) =>
      master.call(context, {
        repeatable: true,
        forward: (peer, call) => peer.cluster.getHandlers(request, call),
        onMaster: (api) => listHandlers(request, api),
      }),
  };
}

async function clusterToMessage(
  api: JobApi,
  self: { readonly nodeId: string; readonly address: string },
  whyNotReady: WhyNotReady,
): Promise<GetClusterResponse> {
  const { stuck, later } = await api.readBeyondMemory();
  const { nodes, ...cluster } = api.readCluster();
  return create(GetClusterResponseSchema, {
    masterNodeId: self.nodeId,
    masterAddress: self.address,
    notReady: whyNotReady() ?? "",
    ...cluster,
    ...(stuck !== null && { stuck }),
    ...(later !== null && { later }),
    nodes: nodes.map((node) => ({ ...node, handlers: [...node.handlers], labels: { ...node.labels } })),
  });
}
