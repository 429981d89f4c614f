import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { KEEP_ALL_AUDIT } from "../../../src/core/state/audit-retention.ts";
import { KEEP_ALL } from "../../../src/core/state/retention.ts";
import { Elector } from "../../../src/master/election/elector.ts";
import { openSqliteStore } from "../../../src/store/open.ts";
import { systemClock, systemRandom } from "../../../src/system-clock.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";

const TTL_MS = 1200;

test("a node says once, in one line, that Redis is away and why, and once that it is back", async () => {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "elastic-job-away-"));
  const logged: { level: string; error: unknown; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    logged.push({ level, error: "error" in fields ? String(fields.error) : undefined, message });
  };
  const logger: Logger = { debug() {}, info: at("info"), warn: at("warn"), error: at("error") };
  const url = `redis://127.0.0.1:${port}`;
  const lock = openRedisLock({ url, prefix: "", ttlMs: TTL_MS, commandTimeoutMs: 3000, logger });
  const store = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  await store.migrate();
  let ticks = 0;
  const elector = new Elector({
    lock: {
      ...lock,
      holder() {
        ticks++;
        return lock.holder();
      },
    },
    store,
    network: { openStream: () => ({ send() {}, close() {} }), identify: async () => "silent" },
    clock: systemClock,
    random: systemRandom,
    logger,
    settings: {
      lockTtlMs: TTL_MS,
      leaseMs: 2 * TTL_MS,
      horizonMs: 1000,
      maxJobsInMemory: 10,
      maxLost: 10,
      retention: KEEP_ALL,
      auditRetention: KEEP_ALL_AUDIT,
      embedded: false,
      zoneData: "2026c",
    },
    incarnation: "a",
    nodeId: "a",
    address: () => "127.0.0.1:1",
  });
  let redis: OwnRedis | null = null;
  onTestFinished(async () => {
    await elector.stop();
    await lock.close();
    await store.close();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  elector.start();
  await until("it has tried several times", () => ticks > 5);
  expect(logged).toEqual([
    {
      level: "warn",
      error: `ElasticJobError: Redis: connect ECONNREFUSED 127.0.0.1:${port}`,
      message: "no answer from the lock (REDIS_URL) or the database (MYSQL_URL); trying on",
    },
  ]);
  redis = await spawnRedis({ port });
  await until("it is elected", () => elector.now().kind === "master");
  expect(logged.slice(1).map(({ message }) => message)).toEqual([
    "elected master",
    "the lock and the database answer again",
  ]);
});
