import { describe, expect, test } from "vitest";
import { OUTCOME } from "../../src/core/job.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { mixedLoad } from "./workload.ts";

const seed = Number(process.env["SIMULATION_SEED"] ?? 1);

/** Three nodes that have joined and work on a mixed load. */
async function busyCluster(options: { maxSkewMs?: number } = {}): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start({ seed, nodes: 3, ...options });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  await cluster.time.advance(500);
  mixedLoad(cluster, 60, 20_000);
  await cluster.time.advance(5000);
  return cluster;
}

function masterOf(cluster: SimulatedCluster) {
  const { master } = cluster;
  if (master === undefined) throw new Error("no master");
  return master;
}

function followerOf(cluster: SimulatedCluster) {
  const { follower } = cluster;
  if (follower === undefined) throw new Error("no follower");
  return follower;
}

describe("a simulated cluster keeps its guarantees", () => {
  test("when nothing fails", async () => {
    const cluster = await busyCluster();
    const { results } = await cluster.expectRest();
    expect(results.filter(({ outcome }) => outcome === OUTCOME.SUCCEEDED).length).toBeGreaterThan(30);
  });

  test("when its master is killed", async () => {
    const cluster = await busyCluster();
    cluster.crash(masterOf(cluster));
    await cluster.expectRest();
  });

  test("when its master's machine is gone", async () => {
    const cluster = await busyCluster();
    cluster.crash(masterOf(cluster), true);
    await cluster.expectRest();
  });

  test("when another node is killed", async () => {
    const cluster = await busyCluster();
    cluster.crash(followerOf(cluster));
    await cluster.expectRest();
  });

  test("when the master and another node are killed, and come back", async () => {
    const cluster = await busyCluster();
    const killed = [masterOf(cluster), followerOf(cluster)];
    for (const node of killed) cluster.crash(node);
    await cluster.time.advance(4000);
    for (const { nodeId } of killed) cluster.startNode(nodeId);
    await cluster.expectRest();
  });

  test("when its master is stopped for three times the lock's TTL", async () => {
    const cluster = await busyCluster();
    cluster.freeze(masterOf(cluster), 9000);
    await cluster.expectRest();
  });

  test("when a node is stopped past its lease", async () => {
    const cluster = await busyCluster();
    cluster.freeze(followerOf(cluster), 15_000);
    await cluster.expectRest();
  });

  test("when a node is stopped while it is sent jobs, and wakes when others have them", async () => {
    const cluster = await busyCluster();
    cluster.freeze(followerOf(cluster), 15_000);
    for (let count = 0; count < 20; count++) cluster.add({ kind: "immediate" }, { ms: 100 });
    await cluster.expectRest();
  });

  test("when another process was elected while the lock was lost, and has gone again", async () => {
    const cluster = await SimulatedCluster.start({ seed, nodes: 1 });
    const isMaster = () => cluster.master !== undefined;
    expect(await cluster.time.runUntil(isMaster, 10_000)).toBe(true);
    await cluster.time.advance(1000);
    const epoch = await cluster.electStranger();
    cluster.lock.flush();
    // The old mastership is over, whether or not it has anything to write.
    const isElectedAnew = () => {
      const now = cluster.nodes[0]?.elector.now();
      return now?.kind === "master" && now.epoch > epoch;
    };
    expect(await cluster.time.runUntil(isElectedAnew, 2000)).toBe(true);
    await cluster.expectRest();
  });

  test("when the lock is flushed again and again", async () => {
    const cluster = await busyCluster();
    for (let times = 0; times < 5; times++) {
      cluster.lock.flush();
      await cluster.time.advance(1300);
    }
    await cluster.expectRest();
  });

  test("when the lock's server is out for 30 s", async () => {
    const cluster = await busyCluster();
    cluster.redis.outage(30_000);
    await cluster.time.advance(30_000);
    await cluster.expectRest();
  });

  test("when the database is out for 20 s", async () => {
    const cluster = await busyCluster();
    cluster.database.outage(20_000);
    await cluster.time.advance(20_000);
    await cluster.expectRest();
  });

  test("when its master is cut off from the other nodes", async () => {
    const cluster = await busyCluster();
    cluster.isolate(masterOf(cluster), { nodes: true });
    await cluster.time.advance(12_000);
    cluster.heal();
    await cluster.expectRest();
  });

  test("when its master is cut off from the lock alone", async () => {
    const cluster = await busyCluster();
    cluster.isolate(masterOf(cluster), { redis: true });
    await cluster.time.advance(20_000);
    cluster.heal();
    await cluster.expectRest();
  });

  test("when its master and one node are cut off from the lock, and not from each other", async () => {
    const cluster = await busyCluster();
    // So long that the next master would take them over while the old one still answers their node.
    for (let count = 0; count < 6; count++) cluster.add({ kind: "immediate" }, { ms: 30_000 });
    await cluster.time.advance(500);
    cluster.isolate(masterOf(cluster), { redis: true });
    cluster.isolate(followerOf(cluster), { redis: true });
    await cluster.time.advance(40_000);
    cluster.heal();
    await cluster.expectRest();
  });

  test("when a node is cut off from everything", async () => {
    const cluster = await busyCluster();
    cluster.isolate(followerOf(cluster), { nodes: true, redis: true, database: true });
    await cluster.time.advance(15_000);
    cluster.heal();
    await cluster.expectRest();
  });

  test("when all wall clocks are wrong, and jump", async () => {
    const cluster = await busyCluster({ maxSkewMs: 3_600_000 });
    for (const node of cluster.nodes) node.clock.skewMs = -node.clock.skewMs;
    const { executions, results } = await cluster.expectRest();
    // Due times are the database's: nothing ran early.
    for (const { jobId, claim, startedAt } of executions) {
      const row = results.find((result) => result.jobId === jobId && result.claim === claim);
      expect(cluster.time.start + startedAt).toBeGreaterThanOrEqual((row?.scheduledAt ?? 0) - 20);
    }
  });

  test("when every node is stopped in turn, and started again", async () => {
    const cluster = await busyCluster();
    for (const node of [...cluster.nodes]) {
      let hasStopped = false;
      void node.stop().then(() => {
        hasStopped = true;
      });
      expect(await cluster.time.runUntil(() => hasStopped, 20_000)).toBe(true);
      cluster.startNode(node.nodeId);
      await cluster.time.advance(1000);
    }
    await cluster.expectRest();
  });
});
