/** Faults of every kind at random moments, one or more at a time. */
import type { SimulatedCluster } from "./simulated-cluster.ts";

/** Returns when the last fault is over, and every node is up again. */
export async function randomFaults(cluster: SimulatedCluster, count: number): Promise<void> {
  const random = cluster.random.fork();
  const { time } = cluster;
  for (const server of [cluster.database, cluster.redis]) {
    const rate = random.pick([0, 0, 0.01, 0.05]);
    server.faults = {
      maxLatencyMs: random.pick([2, 20, 100]),
      before: rate,
      after: rate,
      later: rate / 2,
      twice: rate * 2,
    };
  }
  cluster.network.maxLatencyMs = random.pick([2, 20, 100]);
  cluster.lock.lossOfAnnouncements = random.pick([0, 0.3]);
  for (let index = 0; index < count; index++) {
    await time.advance(random.between(0, 6000));
    const { awake } = cluster;
    if (awake.length === 0) continue;
    const node = random.chance(0.5) ? (cluster.master ?? random.pick(awake)) : random.pick(awake);
    switch (random.between(0, 8)) {
      case 0: {
        cluster.crash(node, random.chance(0.3));
        time.after(random.between(100, 15_000), () => cluster.startNode(node.nodeId));
        break;
      }
      case 1:
        cluster.freeze(node, random.between(100, 20_000));
        break;
      case 2: {
        cluster.note(node.nodeId, "stopping");
        void node.stop().then(() => {
          if (cluster.nodes.includes(node)) cluster.startNode(node.nodeId);
        });
        break;
      }
      case 3:
        cluster.note("redis", "flushed");
        cluster.lock.flush();
        break;
      case 4:
        cluster.note("redis", "out");
        cluster.redis.outage(random.between(100, 10_000));
        break;
      case 5:
        cluster.note("mysql", "out");
        cluster.database.outage(random.between(100, 10_000));
        break;
      case 6:
        cluster.isolate(node, {
          nodes: random.chance(0.6),
          redis: random.chance(0.6),
          database: random.chance(0.4),
        });
        time.after(random.between(100, 15_000), () => cluster.heal());
        break;
      case 7:
        node.clock.skewMs += random.between(-100_000, 100_000);
        break;
      default:
        cluster.control(random.chance(0.3) ? "delete" : "update");
    }
  }
  await time.advance(20_000);
  cluster.heal();
  for (const { nodeId, gate } of cluster.nodes) if (gate.isDead) cluster.startNode(nodeId);
}
