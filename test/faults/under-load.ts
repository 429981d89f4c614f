/** One fault test: jobs flow, faults happen, and when all is quiet the checker finds nothing wrong. */
import { expect } from "vitest";
import type { TestCluster } from "../cluster/test-cluster.ts";
import { startWorkload } from "../cluster/workload.ts";
import { until } from "../fixtures/until.ts";

const SOME = 40;

export interface Load {
  readonly seed: number;
  readonly jobsPerSecond?: number;
  readonly rough?: boolean;
  /** Within this the cluster must take adds again after the faults. */
  readonly recoversWithinMs?: number;
}

export async function underLoad(
  cluster: TestCluster,
  load: Load,
  faults: () => Promise<unknown>,
): Promise<void> {
  const workload = startWorkload({
    seed: load.seed,
    urls: cluster.urls,
    jobsPerSecond: load.jobsPerSecond ?? 60,
    recurring: 3,
    rough: load.rough ?? false,
  });
  try {
    await until("the load has begun", () => workload.acknowledged.length > SOME, 20_000);
    await faults();
    const before = workload.acknowledged.length;
    const recovered = () => workload.acknowledged.length > before + SOME;
    await until("adds are acknowledged again", recovered, load.recoversWithinMs ?? 20_000);
  } finally {
    await workload.finish(30_000);
  }
  await cluster.settled(30_000);
  const violations = await cluster.violations(workload.acknowledged);
  await retire(cluster, workload.acknowledged);
  expect(violations).toEqual([]);
}

/** Ends what would go on for ever, and leaves the rest to history. */
async function retire(
  cluster: TestCluster,
  acknowledged: readonly { readonly jobId: number; readonly name: string }[],
): Promise<void> {
  const client = cluster.client(cluster.nodes.find(({ isUp }) => isUp));
  await cluster.forget();
  for (const { jobId, name } of acknowledged) {
    if (name.includes("recurring")) await client.deleteJob(String(jobId));
  }
}
