/** Jobs that run long enough for something to befall the nodes that have them. */
import type { Effect } from "../cluster/effects-log.ts";
import type { ClusterNode, TestCluster } from "../cluster/test-cluster.ts";
import { until } from "../fixtures/until.ts";

export interface LongJobs {
  readonly ids: ReadonlySet<number>;
  /** What their handlers have done, by their own account. */
  seen(event: Effect["event"]): Effect[];
  /** A node that is not the master, and the starts that it has seen. */
  victim(): Promise<{ readonly node: ClusterNode; readonly starts: readonly Effect[] }>;
}

/** Resolves when all of them run. */
export async function startLongJobs(cluster: TestCluster, count: number, ms: number): Promise<LongJobs> {
  const client = cluster.client(await cluster.master());
  const added = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      client.addJob({ name: `long ${index}`, handler: "effect", payload: { ms } }),
    ),
  );
  const ids = new Set(added.map(({ jobId }) => Number(jobId)));
  const seen: LongJobs["seen"] = (event) =>
    cluster.effects().filter((one) => one.event === event && ids.has(one.jobId));
  await until("the long jobs run", () => seen("start").length >= count);
  return {
    ids,
    seen,
    async victim() {
      for (const node of cluster.others(await cluster.master())) {
        const starts = seen("start").filter((one) => one.node === node.name);
        if (starts.length > 0) return { node, starts };
      }
      throw new Error("all run on the master");
    },
  };
}
