/** What operators and callers are told while MySQL is there and refuses: a real node, with each trouble made and mended. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import mysql, { type RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { linesOf, reasonOf, untilLogged, untilReady, untilReason } from "../../cluster/told-by-node.ts";
import { documentedGrants } from "../../servers/least-rights.ts";
import { type OwnMysql, startOwnMysql } from "../../servers/own-mysql.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
/** Never in a line: Node's stacks, in JSON. */
const STACK = /\\n {4}at /;

let server: OwnMysql;
let redis: OwnRedis;
let root: mysql.Connection;
let node: NodeProcess;

beforeAll(async () => {
  [server, redis] = await Promise.all([startOwnMysql(), spawnRedis({})]);
  root = await connectAsRoot();
  await root.query(`CREATE USER 'node'@'%' IDENTIFIED BY 'secret'; CREATE USER 'migrator'@'%';
    GRANT ${documentedGrants().migrateGrants} ON elasticjob.* TO 'migrator'@'%'`);
  await promisify(execFile)(process.execPath, [MAIN, "migrate"], {
    env: { PATH: process.env["PATH"] ?? "", MYSQL_URL: urlOf("migrator", "") },
  });
  // Table by table, so that one can be taken away.
  for (const table of await tables()) await grant(documentedGrants().nodeGrants, table);
  node = await start();
  await untilReady(node);
}, 60_000);
afterEach(async () => {
  await root.query("ALTER USER 'node'@'%' IDENTIFIED BY 'secret' REQUIRE NONE");
  for (const table of await tables()) await grant(documentedGrants().nodeGrants, table);
  await untilReady(node);
});
afterAll(async () => {
  await node?.kill();
  await root?.end();
  await Promise.all([server?.stop(), redis?.stop()]);
});

const connectAsRoot = () => mysql.createConnection({ uri: server.url, multipleStatements: true });

function urlOf(user: string, password: string): string {
  const url = new URL(server.url);
  [url.username, url.password] = [user, password];
  return url.href;
}

function start(): Promise<NodeProcess> {
  return startNodeProcess({
    MYSQL_URL: urlOf("node", "secret"),
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    NODE_ID: "n1",
    LOCK_TTL_MS: "3000",
  });
}

async function tables(): Promise<string[]> {
  const [rows] = await root.query<RowDataPacket[]>("SHOW TABLES");
  return rows.map((row) => String(Object.values(row)[0]));
}

const grant = (rights: string, table: string) => root.query(`GRANT ${rights} ON ${table} TO 'node'@'%'`);
const revoke = (rights: string, table: string) => root.query(`REVOKE ${rights} ON ${table} FROM 'node'@'%'`);

async function killConnections(): Promise<void> {
  const [rows] = await root.query<RowDataPacket[]>(
    "SELECT id FROM information_schema.processlist WHERE user = 'node'",
  );
  for (const row of rows) await root.query(`KILL ${String(row["id"])}`).catch(() => {});
}

interface Answer {
  readonly code?: string;
  readonly message?: string;
  readonly jobId?: string;
  readonly job?: { readonly id: string };
}

async function call(method: string, body: object): Promise<Answer> {
  const answer = await fetch(`${node.url}/JobService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "connect-timeout-ms": "5000" },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Answer;
}

/** A job of next year's, by its id. */
async function added(): Promise<string> {
  const answer = await call("AddJob", { handler: "echo", timed: { delay: "31536000s" } });
  const id = answer.jobId ?? answer.job?.id;
  if (id === undefined) throw new Error(JSON.stringify(answer));
  return id;
}

test.each([
  [
    "takes the account by TLS only",
    "ALTER USER 'node'@'%' REQUIRE SSL",
    "ALTER USER 'node'@'%' REQUIRE NONE",
    /by TLS only, add ssl-mode=VERIFY_IDENTITY/,
  ],
  [
    "has another password for the account",
    "ALTER USER 'node'@'%' IDENTIFIED BY 'another-one'",
    "ALTER USER 'node'@'%' IDENTIFIED BY 'secret'",
    /password in MYSQL_URL \(MYSQL_PASSWORD\)/,
  ],
])(
  "a MySQL that %s is told with what to change, in few lines, until it does not",
  {
    timeout: 90_000,
  },
  async (_, trouble, mended, advice) => {
    // What it was told of a moment ago, it would not be told of again.
    await node.stop();
    node = await start();
    await untilReady(node);
    const mark = node.log.length;
    // It ends within the trouble, so that there is something to write.
    await call("AddJob", { handler: "sleep", payload: { ms: 1_000 } });
    await root.query(trouble);
    await killConnections();
    await untilReason(
      node,
      /MySQL has answered with errors only for \d+\.\d s: .*Access denied for user 'node'@/,
    );
    expect(await reasonOf(node)).toMatch(advice);
    await untilLogged(node, /not ready: .*Access denied for user 'node'/, mark);
    await untilReason(node, /for (8|9|1\d)\.\d s/);
    const lines = node.log.slice(mark);
    expect(lines.filter((line) => STACK.test(line))).toEqual([]);
    expect(lines.filter((line) => line.includes('"level":"warn"')).length).toBeLessThan(15);
    expect(lines.filter((line) => (line.match(/Access denied/g) ?? []).length > 1)).toEqual([]);
    expect(lines.join("\n")).not.toMatch(/another-one|node:secret/);
    await root.query(mended);
    await untilReady(node);
    await untilLogged(node, /"msg":"over: could not write results; trying again"/, mark);
  },
);

test("an audit that takes no records is told to callers and, once, in the log, until it takes them", {
  timeout: 60_000,
}, async () => {
  const mark = node.log.length;
  const [one, other] = [await added(), await added()];
  await revoke("INSERT, UPDATE", "jobaudit");
  for (let tries = 0; tries < 3; tries++) {
    const refused = await call("DeleteJob", { jobId: one });
    expect(refused.code).toBe("failed_precondition");
    expect(refused.message).toMatch(/INSERT.* table .*jobaudit.*; grant this account INSERT.* on jobaudit/);
  }
  // Adds are made, and are counted later.
  await added();
  expect(await reasonOf(node)).toBe("");
  expect(linesOf(node, /"level":"error".*"table":"jobaudit".*grant this account INSERT/, mark)).toHaveLength(
    1,
  );
  expect(linesOf(node, /"level":"info".*"table":"jobaudit"/, mark)).toEqual([]);
  await grant("INSERT, UPDATE", "jobaudit");
  expect((await call("DeleteJob", { jobId: one })).code).toBeUndefined();
  await untilLogged(
    node,
    /"level":"info".*"table":"jobaudit".*MySQL lets this node use the table again/,
    mark,
  );
  expect((await call("DeleteJob", { jobId: other })).code).toBeUndefined();
  expect(linesOf(node, STACK, mark)).toEqual([]);
});

test("a table that is gone is told to callers and, once, in the log, until it is there", {
  timeout: 60_000,
}, async () => {
  const mark = node.log.length;
  const id = await added();
  await root.query("RENAME TABLE jobaudit TO taken_away");
  for (let tries = 0; tries < 2; tries++) {
    const refused = await call("DeleteJob", { jobId: id });
    expect(refused.code).toBe("failed_precondition");
    expect(refused.message).toMatch(/jobaudit' doesn't exist; restore it from a backup/);
  }
  expect(linesOf(node, /"level":"error".*"table":"jobaudit".*restore it/, mark)).toHaveLength(1);
  await root.query("RENAME TABLE taken_away TO jobaudit");
  expect((await call("DeleteJob", { jobId: id })).code).toBeUndefined();
  await untilLogged(
    node,
    /"level":"info".*"table":"jobaudit".*MySQL lets this node use the table again/,
    mark,
  );
});

test("a node that may add no rows of jobs is not ready, says why, and is ready when it may", {
  timeout: 60_000,
}, async () => {
  const mark = node.log.length;
  await revoke("INSERT", "jobinfo");
  const refused = await call("AddJob", { handler: "echo" });
  expect(refused.code).toBe("failed_precondition");
  await untilReason(
    node,
    /MySQL has refused this node for .* s: INSERT command denied .*grant this account INSERT/,
  );
  await untilLogged(node, /not ready: MySQL has refused this node/, mark);
  await grant("INSERT", "jobinfo");
  await added();
  await untilReady(node);
  await untilLogged(
    node,
    /"level":"info".*"table":"jobinfo".*MySQL lets this node use the table again/,
    mark,
  );
});

test("a MySQL that is gone is told in few lines, until it is back", { timeout: 90_000 }, async () => {
  await node.stop();
  node = await start();
  await untilReady(node);
  const mark = node.log.length;
  await call("AddJob", { handler: "sleep", payload: { ms: 1_000 } });
  await server.crash();
  try {
    await untilLogged(node, /not ready: MySQL has not answered for/, mark);
    await untilLogged(node, /out of reach.*could not write results; trying again/, mark);
    await untilReason(node, /for (1[5-9]|2\d)\.\d s/);
    const lines = node.log.slice(mark);
    expect(lines.filter((line) => STACK.test(line))).toEqual([]);
    expect(lines.filter((line) => line.includes('"level":"warn"')).length).toBeLessThan(20);
  } finally {
    await server.restart();
    root = await connectAsRoot();
  }
  await untilReady(node);
  await untilLogged(node, /"msg":"over: could not write results; trying again"/, mark);
});
