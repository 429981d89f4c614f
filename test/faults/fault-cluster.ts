/** The cluster of one fault test file: three nodes, on limits short enough to be waited out. */

import { type ClusterOptions, startCluster, type TestCluster } from "../cluster/test-cluster.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../servers/shared.ts";

export const TTL_MS = 1_500;
export const LEASE_MS = 3_000;

export interface FaultCluster extends TestCluster {
  /** Brings back what a test has killed. */
  revive(): Promise<void>;
}

export async function startFaultCluster(options: Partial<ClusterOptions> = {}): Promise<FaultCluster> {
  const database = options.databaseUrl === undefined ? await freshDatabase() : null;
  const cluster = await startCluster({
    databaseUrl: database?.url ?? "",
    redisUrl: redisUrl(),
    prefix: freshPrefix(),
    nodes: 3,
    ...options,
    env: { LOCK_TTL_MS: `${TTL_MS}`, NODE_LEASE_MS: `${LEASE_MS}`, ...options.env },
  });
  const stop = cluster.stop;
  return Object.assign(cluster, {
    async revive() {
      for (const node of cluster.nodes) if (!node.isUp) await node.restart();
    },
    async stop() {
      await stop();
      await database?.drop();
    },
  });
}
