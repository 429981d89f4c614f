/** What Redis does not let a node do, told by a real one: each command that the documented account has, taken away. */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { until } from "../../fixtures/until.ts";
import { letNodeIn } from "../../servers/least-rights.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";

let redis: OwnRedis;
beforeAll(async () => {
  redis = await spawnRedis({});
});
afterAll(() => redis.stop());

const allow = (...more: string[]) => letNodeIn(redis, ...more);

function open(): ClusterLock {
  const url = `redis://node:secret@127.0.0.1:${redis.port}`;
  const options = { url, prefix: "", ttlMs: 5_000, commandTimeoutMs: 1_000, logger: silentLogger };
  const lock = openRedisLock(options);
  onTestFinished(() => lock.close());
  return lock;
}

const MASTER = { address: "10.0.0.3:7070", nodeId: "c", incarnation: "c1", epoch: 7, cluster: "" };

/** All that a node asks in order to be elected; throws what it is refused. */
async function elect(lock: ClusterLock): Promise<void> {
  await lock.holder();
  await lock.name();
  await lock.acquire(MASTER.incarnation);
  await lock.renew(MASTER.incarnation);
  await lock.publishMaster(MASTER);
  await lock.release(MASTER.incarnation);
}

const isElected = (lock: ClusterLock) =>
  elect(lock).then(
    () => true,
    () => false,
  );

test.each(["get", "set", "eval", "del", "hset", "publish", "pexpire", "subscribe"])(
  "an account without %s is told with what it lacks, until it has it",
  async (command) => {
    await allow(`-${command}`);
    const lock = open();
    await until("it is refused", async () => {
      await isElected(lock);
      return lock.silence().how === "refused";
    });
    expect(lock.silence().why).toMatch(/: give its account the rules of "The Redis account"/);
    await allow();
    await redis.command("DEL", "cluster");
    await until("it is not refused", async () => (await isElected(lock)) && lock.silence().how === "silent");
  },
);
