import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type ClusterService, GetClusterResponseSchema } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import type { MasterCaller } from "./master-call.ts";

export function createClusterService(options: {
  readonly master: MasterCaller;
  /** This node, as the cluster shows it while it is master. */
  readonly self: () => { readonly nodeId: string; readonly address: string };
}): ServiceImpl<typeof ClusterService> {
  return {
    getCluster(request, context: HandlerContext) {
      return options.master.call(context, {
        repeatable: true,
        forward: (peer, call) => peer.cluster.getCluster(request, call),
        onMaster: (api) => {
          const cluster = api.readCluster();
          const { nodeId, address } = options.self();
          return create(GetClusterResponseSchema, {
            masterNodeId: nodeId,
            masterAddress: address,
            epoch: cluster.epoch,
            nodes: cluster.nodes.map((node) => ({
              ...node,
              handlers: [...node.handlers],
              labels: { ...node.labels },
            })),
            waiting: cluster.waiting,
            prepared: cluster.prepared,
            running: cluster.running,
          });
        },
      });
    },
  };
}
