import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { until } from "../../fixtures/until.ts";
import { makeRedisUser, REDIS_PASSWORD, REDIS_USER } from "../../servers/least-rights.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";
import { answers } from "./answers.ts";
import { masterAddress, TTL_MS } from "./lock-suite.ts";

const GROUP = "mygroup";
let first: OwnRedis;
let second: OwnRedis;
let sentinel: OwnRedis;

beforeAll(async () => {
  first = await spawnRedis({});
  second = await spawnRedis({ args: ["--replicaof", `127.0.0.1 ${first.port}`] });
  for (const server of [first, second]) await server.command(...makeRedisUser(""));
  sentinel = await spawnRedis({
    sentinelConfig: [
      `sentinel monitor ${GROUP} 127.0.0.1 ${first.port} 1`,
      `sentinel down-after-milliseconds ${GROUP} 500`,
      `sentinel failover-timeout ${GROUP} 2000`,
      "",
    ].join("\n"),
  });
  await until(
    "the replica",
    async () => {
      const replicas = await sentinel.command("SENTINEL", "REPLICAS", GROUP);
      return Array.isArray(replicas) && replicas.length === 1;
    },
    30_000,
  );
}, 60_000);
afterAll(() => Promise.all([first, second, sentinel].map((server) => server?.stop())));

test("the lock follows a Sentinel failover, and announcements come through after it", async () => {
  const url = `redis+sentinel://${REDIS_USER}:${REDIS_PASSWORD}@127.0.0.1:${sentinel.port}/${GROUP}`;
  const options = { url, prefix: "", ttlMs: TTL_MS, commandTimeoutMs: 500, logger: silentLogger };
  const [lock, other] = [openRedisLock(options), openRedisLock(options)];
  const heard: unknown[] = [];
  try {
    other.onMaster((master) => heard.push(master));
    await until("the servers in reach", async () => (await answers(lock)) && (await answers(other)));
    expect(await lock.acquire("a")).toBe(true);
    expect(await other.acquire("b")).toBe(false);
    await first.stop();
    await until(
      "the new primary",
      async () => {
        const held = await lock.acquire("c").catch(() => false);
        return held;
      },
      25_000,
    );
    await until("an announcement", async () => {
      await lock.renew("c").catch(() => {});
      await lock.publishMaster(masterAddress("c")).catch(() => {});
      return heard.length > 0;
    });
    expect(heard[0]).toEqual(masterAddress("c"));
    await until("the same for the other", async () => (await other.holder().catch(() => null)) === "c");
  } finally {
    await Promise.all([lock.close(), other.close()]);
  }
});
