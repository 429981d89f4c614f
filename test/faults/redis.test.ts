/** Redis is disposable (G6): restarted, flushed, away, slow or half deaf, it costs time, and nothing else. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type OwnRedis, spawnRedis } from "../servers/own-redis.ts";
import { type FaultCluster, startFaultCluster } from "./fault-cluster.ts";
import { startLongJobs } from "./long-jobs.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();
const OUTAGE_MS = 8_000;

describe(`Redis misbehaves (seed ${seed})`, { timeout: 60_000 }, () => {
  let redis: OwnRedis;
  let cluster: FaultCluster;
  beforeAll(async () => {
    redis = await spawnRedis({});
    cluster = await startFaultCluster({ redisUrl: `redis://127.0.0.1:${redis.port}/0`, proxied: true });
  });
  afterEach(() => Promise.all(cluster.nodes.map((node) => node.proxies?.redis.heal())));
  afterAll(async () => {
    await cluster?.stop();
    await redis?.stop();
  });

  test("a restart, which forgets everything", async () => {
    await underLoad(cluster, { seed }, async () => {
      const { port } = redis;
      await redis.stop();
      redis = await spawnRedis({ port });
    });
  });

  test("FLUSHALL, again and again", async () => {
    await underLoad(cluster, { seed }, async () => {
      for (let round = 0; round < 10; round++) {
        await redis.command("FLUSHALL");
        await sleep(200);
      }
    });
  });

  test(`an outage of ${OUTAGE_MS / 1000} s: what runs ends, and is recorded, meanwhile`, async () => {
    await underLoad(cluster, { seed, recoversWithinMs: 20_000 }, async () => {
      const { ids } = await startLongJobs(cluster, 6, 6000);
      const proxies = cluster.nodes.flatMap((node) => (node.proxies === null ? [] : [node.proxies.redis]));
      await Promise.all(proxies.map((proxy) => proxy.refuse()));
      await sleep(OUTAGE_MS);
      const { results } = await cluster.evidence([]);
      expect(
        results.filter((row) => ids.has(row.jobId)).map(({ claim, outcome }) => [claim, outcome]),
      ).toEqual([...ids].map(() => [1, 1]));
      await Promise.all(proxies.map((proxy) => proxy.heal()));
    });
  });

  test("a master that sends to Redis and hears nothing is replaced", async () => {
    await underLoad(cluster, { seed }, async () => {
      const master = await cluster.master();
      const { epoch } = await cluster.mastership();
      master.proxies?.redis.swallow("to-client");
      await sleep(5_000);
      await master.proxies?.redis.heal();
      expect((await cluster.mastership()).epoch).toBeGreaterThan(epoch);
    });
  });

  test("all answers are 300 ms late", async () => {
    await underLoad(cluster, { seed }, async () => {
      for (const node of cluster.nodes) node.proxies?.redis.delay(150);
      await sleep(4_000);
      for (const node of cluster.nodes) await node.proxies?.redis.heal();
    });
  });
});
