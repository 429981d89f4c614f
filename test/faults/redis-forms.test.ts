/** A whole cluster of nodes at work on Redis Cluster, and on Sentinel, while servers of theirs fail over. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { until } from "../fixtures/until.ts";
import { freePort } from "../servers/free-port.ts";
import { type OwnRedis, spawnRedis } from "../servers/own-redis.ts";
import { type FaultCluster, startFaultCluster } from "./fault-cluster.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();
const GROUP = "jobs";
const SLOTS = 16_384;

describe(`Redis Cluster (seed ${seed})`, { timeout: 90_000 }, () => {
  let masters: OwnRedis[] = [];
  let replicas: OwnRedis[] = [];
  let cluster: FaultCluster;

  beforeAll(async () => {
    const spawn = async () => {
      const busPort = await freePort();
      const args = [
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        `${busPort}`,
        "--cluster-node-timeout",
        "1000",
      ];
      return { server: await spawnRedis({ args }), busPort };
    };
    const spawned = await Promise.all(Array.from({ length: 6 }, spawn));
    const all = spawned.map(({ server }) => server);
    masters = all.slice(0, 3);
    replicas = all.slice(3);
    for (const [index, server] of masters.entries()) {
      const from = Math.ceil((SLOTS * index) / 3);
      const to = Math.ceil((SLOTS * (index + 1)) / 3) - 1;
      await server.command("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to}`);
      await server.command("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
    }
    const [first] = masters;
    for (const { server, busPort } of spawned.slice(1)) {
      await first?.command("CLUSTER", "MEET", "127.0.0.1", `${server.port}`, `${busPort}`);
    }
    for (const server of all) {
      const knows = async () => String(await server.command("CLUSTER", "INFO"));
      await until("the cluster", async () => /state:ok[^]*known_nodes:6/.test(await knows()));
    }
    for (const [index, replica] of replicas.entries()) {
      const id = String(await masters[index]?.command("CLUSTER", "MYID"));
      await replica.command("CLUSTER", "REPLICATE", id);
    }
    for (const master of masters) {
      await until(
        "its replica",
        async () => /connected_slaves:1/.test(String(await master.command("INFO", "replication"))),
        20_000,
      );
    }
    const redisUrl = masters.map(({ port }) => `redis://127.0.0.1:${port}`).join(",");
    cluster = await startFaultCluster({ redisUrl });
  }, 90_000);
  afterAll(async () => {
    await cluster?.stop();
    await Promise.all([...masters, ...replicas].map((server) => server.stop()));
  });

  test("nodes elect, work, and hand over", async () => {
    await underLoad(cluster, { seed }, async () => {
      await (await cluster.master()).kill();
    });
    await cluster.revive();
  });

  test("the server that holds the lock dies, and its replica takes over", async () => {
    await underLoad(cluster, { seed, recoversWithinMs: 40_000 }, async () => {
      const lockKey = `${cluster.prefix}cluster`;
      const slot = Number(await masters[0]?.command("CLUSTER", "KEYSLOT", lockKey));
      const holder = masters[Math.floor((slot * 3) / SLOTS)];
      const replica = replicas[Math.floor((slot * 3) / SLOTS)];
      await holder?.stop();
      await until(
        "the replica is master",
        async () => /role:master/.test(String(await replica?.command("INFO", "replication"))),
        30_000,
      );
    });
  });
});

describe(`Sentinel (seed ${seed})`, { timeout: 90_000 }, () => {
  let primary: OwnRedis;
  let replica: OwnRedis;
  let sentinels: OwnRedis[] = [];
  let cluster: FaultCluster;

  beforeAll(async () => {
    primary = await spawnRedis({});
    replica = await spawnRedis({ args: ["--replicaof", `127.0.0.1 ${primary.port}`] });
    const sentinelConfig = [
      `sentinel monitor ${GROUP} 127.0.0.1 ${primary.port} 2`,
      `sentinel down-after-milliseconds ${GROUP} 1000`,
      `sentinel failover-timeout ${GROUP} 5000`,
      "",
    ].join("\n");
    sentinels = await Promise.all(Array.from({ length: 3 }, () => spawnRedis({ sentinelConfig })));
    for (const sentinel of sentinels) {
      const count = async (what: string) => {
        const found = await sentinel.command("SENTINEL", what, GROUP);
        return Array.isArray(found) ? found.length : 0;
      };
      await until(
        "the replica and the other sentinels",
        async () => (await count("REPLICAS")) === 1 && (await count("SENTINELS")) === 2,
        30_000,
      );
    }
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
    cluster = await startFaultCluster({ redisUrl: `redis+sentinel://${hosts}/${GROUP}` });
  }, 90_000);
  afterAll(async () => {
    await cluster?.stop();
    await Promise.all([primary, replica, ...sentinels].map((server) => server?.stop()));
  });

  test("the primary dies, the replica is promoted, and the nodes follow", async () => {
    await underLoad(cluster, { seed, recoversWithinMs: 40_000 }, async () => {
      await primary.stop();
      await until(
        "the replica is primary",
        async () => {
          // Sentinel cuts off the clients of a server that it promotes, this one among them.
          const info = await replica.command("INFO", "replication").catch(() => "");
          return /role:master/.test(String(info));
        },
        40_000,
      );
    });
  });
});
