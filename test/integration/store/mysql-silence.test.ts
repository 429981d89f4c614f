/** How long a MySQL has not answered, as its store tells: also of one that stands still, or takes no writes. */
import mysql from "mysql2/promise";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { until } from "../../fixtures/until.ts";
import { documentedGrants } from "../../servers/least-rights.ts";
import { type OwnMysql, startOwnMysql } from "../../servers/own-mysql.ts";

let server: OwnMysql;
let nodeUrl: string;
beforeAll(async () => {
  server = await startOwnMysql();
  await asRoot(
    `CREATE USER 'node'@'%' IDENTIFIED BY 'secret'; GRANT ${documentedGrants().nodeGrants} ON elasticjob.* TO 'node'@'%'`,
  );
  const store = openMysqlStore({ url: server.url, clock: systemClock });
  await store.migrate().finally(() => store.close());
  const url = new URL(server.url);
  [url.username, url.password] = ["node", "secret"];
  nodeUrl = url.href;
});
afterAll(() => server?.stop());

async function asRoot(sql: string): Promise<void> {
  const connection = await mysql.createConnection({ uri: server.url, multipleStatements: true });
  await connection.query(sql).finally(() => connection.end());
}

function openStore() {
  const store = openMysqlStore({ url: nodeUrl, clock: systemClock });
  onTestFinished(() => store.close());
  return store;
}

test("a probe is answered to a node that may only write rows, and reads do not count", async () => {
  const store = openStore();
  await until("some time has passed", () => store.silence().ms > 50);
  await store.readMastership();
  expect(store.silence()).toMatchObject({ who: "MySQL", how: "silent" });
  expect(store.silence().ms).toBeGreaterThan(50);
  await store.probe();
  expect(store.silence().ms).toBeLessThan(50);
  await until("some time has passed", () => store.silence().ms > 50);
  await store.registerNode("a process", "a");
  expect(store.silence().ms).toBeLessThan(50);
});

test("a server that is read-only answers with errors only, until it takes writes again", async () => {
  const store = openStore();
  await store.probe();
  await asRoot("SET GLOBAL read_only = ON");
  try {
    await store.probe();
    await store.readMastership();
    await until("that has lasted", () => store.silence().ms > 200);
    await store.probe();
    expect(store.silence()).toMatchObject({ who: "MySQL", how: "errors" });
    expect(store.silence().ms).toBeGreaterThan(200);
  } finally {
    await asRoot("SET GLOBAL read_only = OFF");
  }
  await store.probe();
  expect(store.silence()).toMatchObject({ how: "silent" });
  expect(store.silence().ms).toBeLessThan(100);
});

test("a server that stands still is silent, and its probe ends by itself", async () => {
  const store = openStore();
  await store.probe();
  await server.freeze();
  try {
    const startedAt = performance.now();
    await store.probe();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(store.silence()).toMatchObject({ who: "MySQL", how: "silent" });
    expect(store.silence().ms).toBeGreaterThan(2_000);
  } finally {
    server.signal("SIGCONT");
  }
  await store.probe();
  expect(store.silence().ms).toBeLessThan(1_000);
});

test("a server that is gone refuses the probe at once", async () => {
  const store = openStore();
  await store.probe();
  await server.crash();
  const startedAt = performance.now();
  await store.probe();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(store.silence().how).toBe("silent");
  await server.restart();
  await until("it answers again", async () => {
    await store.probe();
    return store.silence().ms < 100;
  });
});
