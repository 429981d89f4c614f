/** A Redis that is not there, goes, freezes, forgets, and comes back. Each test has a server of its own. */
import { createClient } from "redis";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import { isError } from "../../../src/core/errors.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";
import { answers } from "./answers.ts";
import { masterAddress, TTL_MS } from "./lock-suite.ts";

const COMMAND_TIMEOUT_MS = 300;

let port = 0;
let server: OwnRedis | null = null;
let logged: string[] = [];
const logger: Logger = {
  debug() {},
  info: (_fields, message) => logged.push(message),
  warn: (_fields, message) => logged.push(message),
  error: (_fields, message) => logged.push(message),
};
const opened: ClusterLock[] = [];

beforeEach(async () => {
  port = await freePort();
  logged = [];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((lock) => lock.close()));
  await stopServer();
});

function openLock(): ClusterLock {
  const url = `redis://127.0.0.1:${port}/0`;
  const lock = openRedisLock({
    url,
    prefix: "",
    ttlMs: TTL_MS,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    logger,
  });
  opened.push(lock);
  return lock;
}

async function startServer(): Promise<void> {
  server = await spawnRedis({ port });
}

async function stopServer(): Promise<void> {
  await server?.stop();
  server = null;
}

/** What the call failed with, and that it did so soon. */
async function failure(call: Promise<unknown>): Promise<unknown> {
  const startedAt = performance.now();
  const error = await call.then(
    () => "it did not fail",
    (reason: unknown) => reason,
  );
  expect(performance.now() - startedAt).toBeLessThan(COMMAND_TIMEOUT_MS + 500);
  return error;
}

test("fails fast while Redis is not there yet, works once it is, and warns of nothing that its callers are told", async () => {
  const lock = openLock();
  for (let round = 0; round < 10; round++) {
    const error = await failure(lock.acquire("a"));
    expect(isError(error, "unavailable")).toBe(true);
    expect(String(error)).toContain(`Redis: connect ECONNREFUSED 127.0.0.1:${port}`);
  }
  await startServer();
  await until("Redis in reach", () => answers(lock));
  expect(await lock.acquire("a")).toBe(true);
  expect(logged).toEqual([]);
});

test("recovers, subscription too, when Redis was killed and has forgotten everything", async () => {
  await startServer();
  const [lock, other] = [openLock(), openLock()];
  await until("Redis in reach", () => answers(lock));
  await until("the lock", () => lock.acquire("a"));
  await stopServer();
  expect(isError(await failure(lock.renew("a")), "unavailable")).toBe(true);
  await startServer();
  await until("Redis in reach again", () => answers(lock));
  expect(await lock.renew("a")).toBe(false);
  expect(await lock.acquire("a")).toBe(true);
  const heard: unknown[] = [];
  other.onMaster((master) => heard.push(master));
  await until("an announcement", async () => {
    await lock.renew("a");
    await lock.publishMaster(masterAddress("a"));
    return heard.length > 0;
  });
  expect(heard[0]).toEqual(masterAddress("a"));
});

test("is free for whoever comes first after FLUSHALL", async () => {
  await startServer();
  const [lock, other] = [openLock(), openLock()];
  await until("Redis in reach", async () => (await answers(lock)) && (await answers(other)));
  expect(await lock.acquire("a")).toBe(true);
  expect(await lock.publishMaster(masterAddress("a"))).toBe(true);
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  await client.flushAll();
  client.destroy();
  expect(await other.acquire("b")).toBe(true);
  expect(await lock.renew("a")).toBe(false);
  expect(await lock.publishMaster(masterAddress("a"))).toBe(false);
  expect(await lock.readMaster()).toBeNull();
});

test("fails within its time limit while Redis is frozen, and recovers when it thaws", async () => {
  await startServer();
  const lock = openLock();
  await until("Redis in reach", () => answers(lock));
  await server?.freeze();
  const frozenAt = performance.now();
  // Long enough that the link is given up for a new one, which cannot connect either.
  while (performance.now() - frozenAt < 4 * COMMAND_TIMEOUT_MS) {
    expect(isError(await failure(lock.renew("a")), "unavailable")).toBe(true);
    await new Promise(setImmediate);
  }
  server?.signal("SIGCONT");
  await until("Redis in reach again", () => answers(lock));
  expect(await lock.acquire("a")).toBe(true);
});

test("leaves nothing open after closing, reachable or not", async () => {
  const lock = openLock();
  await lock.close();
  expect(isError(await failure(lock.holder()), "unavailable")).toBe(true);
  await startServer();
  const other = openLock();
  await until("Redis in reach", () => answers(other));
  await other.close();
  expect(isError(await failure(other.holder()), "unavailable")).toBe(true);
});
