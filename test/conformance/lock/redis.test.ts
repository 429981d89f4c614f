import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { until } from "../../fixtures/until.ts";
import { adminRedisUrl, freshPrefix, redisUrl } from "../../servers/shared.ts";
import { answers } from "./answers.ts";
import { announcement, describeLock, masterAddress, TTL_MS } from "./lock-suite.ts";

const opened: ClusterLock[] = [];
/** How many locks each test opened, by channel: prefixes are fresh. */
const subscriptions = new Map<string, number>();
afterEach(async () => {
  await Promise.all(opened.splice(0).map((lock) => lock.close()));
});

async function openLock(prefix: string, url = redisUrl()): Promise<ClusterLock> {
  const lock = openRedisLock({ url, prefix, ttlMs: TTL_MS, commandTimeoutMs: 1_000, logger: silentLogger });
  opened.push(lock);
  await until("Redis in reach", () => answers(lock));
  await subscribed(prefix, url);
  return lock;
}

/** The subscription is opened in the background: without it, announcements would be missed. */
async function subscribed(prefix: string, url: string): Promise<void> {
  const client = createClient({ url: adminRedisUrl() });
  await client.connect();
  const channel = `{${prefix}cluster}:master@${new URL(url).pathname.slice(1) || 0}`;
  const key = `${channel} ${url}`;
  const expected = (subscriptions.get(key) ?? 0) + 1;
  subscriptions.set(key, expected);
  await until("a subscription", async () => (await client.pubSubNumSub(channel))[channel] === expected);
  client.destroy();
}

describeLock("the Redis lock", async () => {
  const prefix = freshPrefix();
  return {
    another: () => openLock(prefix),
    // The server's clock cannot be turned: this is the time that the lock is about.
    elapse: (ms) => sleep(ms),
    close: async () => {},
  };
});

test("the same key is another lock in another Redis, and in one that has lost what it knew", async () => {
  const prefix = freshPrefix();
  const lock = await openLock(prefix);
  const elsewhere = new URL(redisUrl());
  elsewhere.pathname = "/1";
  const other = await openLock(prefix, elsewhere.href);
  const name = await lock.name();
  expect(await other.name()).not.toBe(name);
  const client = await createClient({ url: adminRedisUrl() }).connect();
  await client.del(`{${prefix}cluster}:id`);
  await client.close();
  expect(await lock.name()).not.toBe(name);
});

describe("the Redis lock's keys", () => {
  const client = createClient({ url: adminRedisUrl() });
  beforeEach(async () => {
    if (!client.isOpen) await client.connect();
  });
  afterEach(() => {
    if (client.isOpen) client.destroy();
  });

  test("are those of the design, and readable", async () => {
    const prefix = freshPrefix();
    const lock = await openLock(prefix);
    await lock.acquire("a");
    await lock.publishMaster(masterAddress("a"));
    await lock.announceNode(announcement("n1"), 5_000);
    const key = `${prefix}cluster`;
    expect(await client.get(key)).toBe("a");
    expect(await client.pTTL(key)).toBeGreaterThan(0);
    expect({ ...(await client.hGetAll(`{${key}}:master`)) }).toEqual({ ...masterAddress("a"), epoch: "7" });
    expect(JSON.parse((await client.get(`{${key}}:node:n1`)) ?? "")).toEqual(announcement("n1"));
    expect(await client.pTTL(`{${key}}:node:n1`)).toBeGreaterThan(0);
  });

  test("of one prefix are apart from those of another", async () => {
    const [lock, other] = [await openLock(freshPrefix()), await openLock(freshPrefix())];
    const heard: unknown[] = [];
    other.onMaster((master) => heard.push(master));
    await lock.acquire("a");
    await lock.publishMaster(masterAddress("a"));
    await lock.announceNode(announcement("n1"), 5_000);
    expect(await other.acquire("b")).toBe(true);
    expect(await other.readMaster()).toBeNull();
    expect(await other.listNodes()).toEqual([]);
    await other.release("b");
    await until("its own announcement", () => heard.length > 0);
    expect(heard).toEqual([null]);
  });

  test("of one database are apart from those of another, announcements too", async () => {
    const prefix = freshPrefix();
    const url = new URL(redisUrl());
    url.pathname = "/1";
    const [lock, other] = [await openLock(prefix), await openLock(prefix, url.href)];
    const heard: unknown[] = [];
    other.onMaster((master) => heard.push(master));
    await lock.acquire("a");
    await lock.publishMaster(masterAddress("a"));
    expect(await other.acquire("b")).toBe(true);
    await other.release("b");
    await until("its own announcement", () => heard.length > 0);
    expect(heard).toEqual([null]);
  });

  test("that hold what cannot be read count as absent", async () => {
    const prefix = freshPrefix();
    const lock = await openLock(prefix);
    await lock.announceNode(announcement("n1"), 5_000);
    await lock.announceNode(announcement("n2"), 5_000);
    await client.set(`{${prefix}cluster}:node:n1`, "not JSON");
    await client.hSet(`{${prefix}cluster}:master`, { address: "10.0.0.1:7070", epoch: "many" });
    expect(await lock.readMaster()).toBeNull();
    expect(await lock.listNodes()).toEqual([announcement("n2")]);
  });
});
