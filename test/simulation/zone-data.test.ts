import { expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.ts";

const seed = Number(process.env["SIMULATION_SEED"] ?? 1);
const OLD = { zoneData: "2026c" };
const NEW = { zoneData: "2026f" };

async function untilMaster(cluster: SimulatedCluster, ms: number) {
  await cluster.time.runUntil(() => cluster.master !== undefined, ms);
  return cluster.master?.nodeId;
}

test("a node with older time zone data leaves the lock to one with newer, at every election", async () => {
  for (let round = 0; round < 5; round++) {
    const cluster = await SimulatedCluster.start({ seed: seed + round, nodes: 0 });
    for (const nodeId of ["old1", "old2", "old3"]) cluster.startNode(nodeId, OLD);
    cluster.startNode("new1", NEW);
    // At the very first one an old one may win before the new one has said what it has.
    await untilMaster(cluster, 10_000);
    await cluster.time.advance(1000);
    for (let election = 0; election < 3; election++) {
      const { master } = cluster;
      if (master === undefined) throw new Error("no master");
      const wasNew = master.nodeId.startsWith("new");
      if (wasNew) cluster.startNode(`new${election + 2}`, NEW);
      await cluster.time.advance(1000);
      cluster.crash(master);
      await cluster.time.advance(100);
      expect(await untilMaster(cluster, 10_000)).toMatch(/^new/);
      await cluster.time.advance(500);
    }
    await cluster.expectRest();
  }
});

test("without one, it takes the lock a TTL later, and says so", async () => {
  const cluster = await SimulatedCluster.start({ seed, nodes: 0 });
  const newer = cluster.startNode("new", NEW);
  expect(await untilMaster(cluster, 10_000)).toBe("new");
  cluster.startNode("old", OLD);
  await cluster.time.advance(1000);
  const lostAt = cluster.time.now;
  cluster.crash(newer);
  await cluster.time.runUntil(() => cluster.master === undefined, 10_000);
  expect(await untilMaster(cluster, 20_000)).toBe("old");
  // A crash lets the lock be broken at once; what is left is the wait.
  expect(cluster.time.now - lostAt).toBeGreaterThanOrEqual(3000);
  expect(cluster.time.now - lostAt).toBeLessThan(8000);
  expect(cluster.log.join("\n")).toContain("older than the cluster has had");
  await cluster.expectRest();
});
