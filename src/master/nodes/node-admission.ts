/**
 * Which nodes a master takes: those that share its database. One of another cluster, which found it through a Redis that
 * both use, is refused, and told why; the log tells it once.
 */
import { create } from "@bufbuild/protobuf";
import type { MasterStream } from "../../coordination/network.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import { GetJobResponseSchema, type Hello, RefusalSchema } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { MasterContext } from "../context.ts";
import type { NodeNumbers } from "./node-numbers.ts";

const REFUSAL_MS = 1000;
const MAX_REFUSED = 1000;

export class NodeAdmission {
  private readonly context: MasterContext;
  private readonly numbers: NodeNumbers;
  /** Processes of other clusters of which the log tells already. */
  private readonly refused = new Set<string>();

  constructor(context: MasterContext, numbers: NodeNumbers) {
    this.context = context;
    this.numbers = numbers;
  }

  /** The number of a node that shares this database; throws `failed_precondition` for any other. */
  async admit({ incarnation, nodeId, address, clusterIdentity }: Hello): Promise<number> {
    try {
      return await this.numbers.of(incarnation, nodeId);
    } catch (error) {
      if (!isError(error, "failed_precondition")) throw error;
      const { identity } = await this.context.store.readCluster();
      const message = `node ${nodeId} at ${address} uses another database than its master: ${identitiesOf(clusterIdentity, identity)}. Two clusters that share a Redis need a CLUSTER_PREFIX each; nodes of one cluster, the same MYSQL_URL`;
      // It comes back every few seconds.
      if (!this.refused.has(incarnation)) this.context.logger.error({ nodeId, address }, message);
      if (this.refused.size >= MAX_REFUSED) this.refused.clear();
      this.refused.add(incarnation);
      throw new ElasticJobError("failed_precondition", message);
    }
  }

  /** Says why on the stream of a node that is not taken, and ends it. */
  refuse(stream: MasterStream, reason: string): void {
    stream.send(
      create(GetJobResponseSchema, {
        message: { case: "refusal", value: create(RefusalSchema, { reason }) },
      }),
    );
    // A stream that is closed at once may lose what was sent on it; the node closes it when it has read why.
    this.context.clock.after(REFUSAL_MS, () => stream.close());
  }
}

function identitiesOf(node: string, master: string): string {
  return node === master
    ? `both are of cluster ${master}, so one is a copy of the other`
    : `cluster ${node}, the master's is ${master}`;
}
