/** A database that goes away, cuts connections, or refuses statements: work waits, and none is lost or done twice. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openConnection } from "../cluster/evidence.ts";
import { until } from "../fixtures/until.ts";
import { type OwnMysql, startOwnMysql } from "../servers/own-mysql.ts";
import { deadlockStorm } from "./deadlock-storm.ts";
import { type FaultCluster, startFaultCluster } from "./fault-cluster.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();

describe(`MySQL misbehaves (seed ${seed})`, { timeout: 90_000 }, () => {
  let mysql: OwnMysql;
  let cluster: FaultCluster;
  let operator: Connection;
  beforeAll(async () => {
    mysql = await startOwnMysql();
    cluster = await startFaultCluster({ databaseUrl: mysql.url, proxied: true });
    operator = await openConnection(mysql.url);
  });
  afterEach(() => Promise.all(cluster.nodes.map((node) => node.proxies?.mysql.heal())));
  afterAll(async () => {
    operator?.destroy();
    await cluster?.stop();
    await mysql?.stop();
  });

  const proxies = () => cluster.nodes.flatMap(({ proxies: all }) => (all === null ? [] : [all.mysql]));

  test("connections killed in the middle of whatever they do", async () => {
    await underLoad(cluster, { seed, jobsPerSecond: 100 }, async () => {
      let killed = 0;
      for (const end = performance.now() + 4000; performance.now() < end; await sleep(20)) {
        const [rows] = await operator.query<RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE db = 'elasticjob' AND command IN ('Query', 'Execute') AND id <> CONNECTION_ID()",
        );
        for (const row of rows) {
          await operator.query(`KILL ${row["id"]}`).catch(() => {});
          killed++;
        }
      }
      expect(killed).toBeGreaterThan(0);
    });
  });

  test("connections cut in COMMIT, and after each kind of write", async () => {
    await underLoad(cluster, { seed, jobsPerSecond: 100 }, async () => {
      // By what is in them: the texts of most statements were sent when they were prepared.
      for (const content of ["COMMIT", "load ", "least-loaded", "UPDATE JSON_TABLE", "COMMIT"]) {
        const before = proxies().map(({ strikes }) => strikes);
        for (const proxy of proxies()) proxy.cutAfter(content);
        await until(`a connection was cut after ${content}`, () =>
          proxies().some(({ strikes }, index) => strikes > (before[index] ?? 0)),
        );
      }
    });
  });

  test("a storm of deadlocks", async () => {
    await underLoad(cluster, { seed, jobsPerSecond: 100 }, async () => {
      // It meets a few in each round; without any, this would be a test of nothing.
      let met = 0;
      for (let round = 0; round < 4 && met === 0; round++) met = await deadlockStorm(mysql.url, 5000);
      expect(met).toBeGreaterThan(0);
    });
  });

  test("an outage: nobody reaches it for 8 s", async () => {
    await underLoad(cluster, { seed, jobsPerSecond: 30, recoversWithinMs: 30_000 }, async () => {
      await Promise.all(proxies().map((proxy) => proxy.refuse()));
      await sleep(8_000);
      await Promise.all(proxies().map((proxy) => proxy.heal()));
    });
  });

  test("a crash and a restart", async () => {
    await underLoad(cluster, { seed, jobsPerSecond: 30, recoversWithinMs: 30_000 }, async () => {
      await mysql.crash();
      await mysql.restart();
    });
  });
});
