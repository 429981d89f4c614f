/** Clusters that share what they should not: a Redis without prefixes, a database under two prefixes, a copy of a database. */
import mysql, { type RowDataPacket } from "mysql2/promise";
import { afterEach, expect, test, vi } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { type NodeProcess, startNodeProcess } from "../cluster/node-process.ts";
import { until } from "../fixtures/until.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../servers/shared.ts";

// Each starts real processes, some of which have to wait out a lock.
vi.setConfig({ testTimeout: 90_000 });

const running: NodeProcess[] = [];
const dropped: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.kill()));
  await Promise.all(dropped.splice(0).map((drop) => drop()));
});

const adminUrls = new Map<string, string>();

async function database(): Promise<string> {
  const { url, adminUrl, drop } = await freshDatabase();
  adminUrls.set(url, adminUrl);
  dropped.push(drop);
  return url;
}

async function start(
  nodeId: string,
  databaseUrl: string,
  prefix: string,
  redis = redisUrl(),
): Promise<NodeProcess> {
  const node = await startNodeProcess({
    MYSQL_URL: databaseUrl,
    REDIS_URL: redis,
    CLUSTER_PREFIX: prefix,
    NODE_ID: nodeId,
    SLOTS: "4",
  });
  running.push(node);
  return node;
}

async function rows(databaseUrl: string, sql: string): Promise<RowDataPacket[]> {
  const connection = await mysql.createConnection(databaseUrl);
  try {
    const [found] = await connection.query<RowDataPacket[]>(sql);
    return found;
  } finally {
    await connection.end();
  }
}

/** As a dump that is loaded elsewhere. */
async function copy(from: string, to: string): Promise<void> {
  const [source, target] = [new URL(from), new URL(to)].map((url) => url.pathname.slice(1));
  const tables = await rows(from, "SHOW TABLES");
  for (const name of tables.flatMap((row) => Object.values(row) as string[])) {
    const admin = adminUrls.get(to) ?? to;
    await rows(admin, `DROP TABLE IF EXISTS ${target}.${name}`);
    await rows(admin, `CREATE TABLE ${target}.${name} LIKE ${source}.${name}`);
    await rows(admin, `INSERT INTO ${target}.${name} SELECT * FROM ${source}.${name}`);
  }
}

const linesOf = (node: NodeProcess, text: RegExp) => node.log.filter((line) => text.test(line));

/** Adds jobs at `node`, each of which ends in its own database and leaves nothing in the other. */
async function expectOwnJobs(node: NodeProcess, own: string, other: string): Promise<void> {
  const before = await rows(other, "SELECT job_id, claim FROM jobresult");
  const client = createClient({ baseUrl: node.url, timeoutMs: 10_000 });
  for (let count = 0; count < 6; count++) await client.addJob({ handler: "echo", payload: count });
  await until("the jobs have ended", async () => {
    const [row] = await rows(own, "SELECT COUNT(*) AS count FROM jobinfo WHERE status NOT IN (1, 3)");
    return Number(row?.["count"]) >= 6;
  });
  expect(await rows(other, "SELECT job_id, claim FROM jobresult")).toEqual(before);
}

test("a node of another database does not join the master that Redis names, and says why", async () => {
  const [a, b] = [await database(), await database()];
  const prefix = freshPrefix();
  const master = await start("node-a", a, prefix);
  const stranger = await start("node-b", b, prefix);
  await until("the stranger's line", () => linesOf(stranger, /CLUSTER_PREFIX/).length > 0);
  const [line = ""] = linesOf(stranger, /CLUSTER_PREFIX/);
  expect(line).toMatch(/MYSQL_URL/);
  const identities = await Promise.all(
    [a, b].map(
      async (url) => (await rows(url, "SELECT identity FROM jobcluster WHERE id = 1"))[0]?.["identity"],
    ),
  );
  for (const identity of identities) expect(line).toContain(identity);
  await expectOwnJobs(master, a, b);
  expect(linesOf(stranger, /CLUSTER_PREFIX/)).toHaveLength(1);
  expect(linesOf(stranger, /joined the cluster/)).toEqual([]);
});

test("a copy of a database does not join the original's cluster, though it names its master", async () => {
  const [a, b] = [await database(), await database()];
  const prefix = freshPrefix();
  const master = await start("node-a", a, prefix);
  await copy(a, b);
  const before = await rows(b, "SELECT job_id, claim FROM jobresult");
  const stranger = await start("node-b", b, prefix);
  await until("the refusal", () => linesOf(stranger, /CLUSTER_PREFIX/).length > 0);
  expect(linesOf(stranger, /CLUSTER_PREFIX/)[0]).toMatch(/MYSQL_URL/);
  expect(linesOf(master, /uses another database.*one is a copy of the other/)).toHaveLength(1);
  await expect(
    createClient({ baseUrl: stranger.url, timeoutMs: 2_000 }).addJob({ handler: "echo" }),
  ).rejects.toThrow(/unavailable|deadline_exceeded/);
  const client = createClient({ baseUrl: master.url, timeoutMs: 10_000 });
  for (let count = 0; count < 6; count++) await client.addJob({ handler: "echo" });
  expect(await rows(b, "SELECT job_id, claim FROM jobresult")).toEqual(before);
});

test("a copy of a database with a prefix of its own is a cluster of its own", async () => {
  const [a, b] = [await database(), await database()];
  await start("node-a", a, freshPrefix());
  await copy(a, b);
  const own = await start("node-b", b, freshPrefix());
  await until("it is master", () => linesOf(own, /elected master/).length > 0);
  await expectOwnJobs(own, b, a);
});

/** As another server, for who uses it. */
function otherDatabaseOfRedis(): string {
  const url = new URL(redisUrl());
  url.pathname = "/1";
  return url.href;
}

test.each([
  ["prefixes", freshPrefix, redisUrl],
  ["Redis servers", null, otherDatabaseOfRedis],
] as const)(
  "two %s on one database make one master, and the second says why it is none",
  async (_, other, redis) => {
    const a = await database();
    const prefix = freshPrefix();
    const first = await start("node-1", a, prefix);
    await until("a master", () => linesOf(first, /elected master/).length > 0);
    const second = await start("node-2", a, other === null ? prefix : other(), redis());
    await until("the second's line", () => linesOf(second, /CLUSTER_PREFIX/).length > 0);
    expect(linesOf(second, /CLUSTER_PREFIX/)[0]).toMatch(/MYSQL_URL.*REDIS_URL/);
    await expectOwnJobs(first, a, await database().then((url) => copy(a, url).then(() => url)));
    expect(linesOf(second, /elected master/)).toEqual([]);
    expect(linesOf(first, /no longer master/)).toEqual([]);
    await first.kill();
    await until("the second takes over", () => linesOf(second, /elected master/).length > 0, 20_000);
  },
);
