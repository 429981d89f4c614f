import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";
import { makeRedisUser, REDIS_PASSWORD, REDIS_USER } from "../../servers/least-rights.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";
import { freshPrefix } from "../../servers/shared.ts";
import { answers } from "./answers.ts";
import { describeLock, TTL_MS } from "./lock-suite.ts";
import { hearAnnouncements } from "./subscribed.ts";

const SLOTS = 16_384;
const servers: OwnRedis[] = [];

beforeAll(async () => {
  for (let index = 0; index < 3; index++) {
    const busPort = await freePort();
    servers.push(await spawnRedis({ args: ["--cluster-enabled", "yes", "--cluster-port", `${busPort}`] }));
    const [server] = servers.slice(-1);
    await server?.command(...makeRedisUser("test-", ["+cluster|slots"]));
    const from = Math.ceil((SLOTS * index) / 3);
    const to = Math.ceil((SLOTS * (index + 1)) / 3) - 1;
    await server?.command("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to}`);
    await server?.command("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
    const [first] = servers;
    if (index > 0) await first?.command("CLUSTER", "MEET", "127.0.0.1", `${server?.port}`, `${busPort}`);
  }
  for (const server of servers) {
    await until("the cluster", async () =>
      String(await server.command("CLUSTER", "INFO")).includes("state:ok"),
    );
  }
}, 60_000);
afterAll(() => Promise.all(servers.map((server) => server.stop())));

describeLock("the lock on Redis Cluster", async () => {
  const opened: ClusterLock[] = [];
  const prefix = freshPrefix();
  const url = servers
    .map(({ port }) => `redis://${REDIS_USER}:${REDIS_PASSWORD}@127.0.0.1:${port}`)
    .join(",");
  return {
    another: async () => {
      const lock = openRedisLock({
        url,
        prefix,
        ttlMs: TTL_MS,
        commandTimeoutMs: 1_000,
        logger: silentLogger,
      });
      opened.push(lock);
      await until("the cluster in reach", () => answers(lock));
      await hearAnnouncements(opened);
      return lock;
    },
    elapse: (ms) => sleep(ms),
    close: async () => {
      await Promise.all(opened.map((lock) => lock.close()));
    },
  };
});
