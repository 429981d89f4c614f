/** What MySQL does to connections, and callers do not see: cut off, killed, closed for being idle, locked out. */
import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { NEVER } from "../../../src/core/job.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { expectCode, job, NOW, projection, readKeyIds, result, spec } from "../../fixtures/store-fixture.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";

/** A hundred times as fast, for limits of seconds. */
const fastClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 100,
  after: (ms, callback) => systemClock.after(ms / 100, callback),
};

let database: Awaited<ReturnType<typeof freshDatabase>>;
let proxy: CuttingProxy;
/** One connection, so that it is known which one a statement takes. */
let store: JobStore;
let operator: Connection;
let epoch = 0;
let nextId = 1;

beforeAll(async () => {
  database = await freshDatabase();
  const url = new URL(database.url);
  proxy = await startCuttingProxy(url.hostname, Number(url.port || 3306));
  const proxied = new URL(database.url);
  proxied.hostname = "127.0.0.1";
  proxied.port = `${proxy.port}`;
  store = openMysqlStore({ url: proxied.href, clock: systemClock, connections: 1 });
  operator = await mysql.createConnection({ uri: database.adminUrl, multipleStatements: true });
  epoch = 1;
  await store.advanceEpoch(0, { epoch, incarnation: "first" });
}, 60_000);

afterAll(async () => {
  await store?.close();
  await proxy?.close();
  await operator?.end();
  await database?.drop();
});

/** Runs `write`, whose answer is lost once although it is carried out. */
async function withLostAnswer<T>(statement: string, write: () => Promise<T>): Promise<T> {
  const before = proxy.cuts;
  // As text, so that the statement is in the packet: a prepared one would be cut at its preparation.
  proxy.cutAnswerTo(statement);
  const value = await write();
  expect(proxy.cuts).toBe(before + 1);
  return value;
}

async function storeConnections(): Promise<{ readonly id: number; readonly info: string | null }[]> {
  const [rows] = await operator.query<RowDataPacket[]>(
    "SELECT id, info FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
  );
  return rows.map((row) => ({ id: Number(row.id ?? row.ID), info: row.info ?? row.INFO ?? null }));
}

/** Kills the store's connection while its statement waits for the lock on the mastership. */
async function killedMidWrite<T>(write: () => Promise<T>): Promise<T> {
  await operator.query("BEGIN; SELECT epoch FROM jobcluster WHERE id = 1 FOR UPDATE");
  const written = write();
  written.catch(() => {});
  const waiting = async () => (await storeConnections()).find((one) => /cluster/.test(one.info ?? ""));
  let first: number | undefined;
  await until("the write waits for the lock", async () => {
    first = (await waiting())?.id;
    return first !== undefined;
  });
  await operator.query(`KILL ${first}`);
  await until("the write is repeated on a new connection", async () => {
    const now = await waiting();
    return now !== undefined && now.id !== first;
  });
  await operator.query("COMMIT");
  return written;
}

test("a write whose connection is killed is repeated", async () => {
  const id = nextId++;
  await killedMidWrite(() => store.insertJobs(epoch, [job(id)], []));
  expect(
    await killedMidWrite(() => store.claimJobs(epoch, 1, [{ jobId: id, claim: 1, revision: 1 }], NOW)),
  ).toBe(1);
  await killedMidWrite(() => store.writeFinalRows(epoch, [result(id, 1)]));
  expect(await killedMidWrite(() => store.projectJobs([projection(id)], epoch))).toEqual([true]);
  expect((await store.readJobs([id])).get(id)).toMatchObject({ claim: 1, attempt: 1, status: 5 });
});

test("an add with keys whose connection is killed is repeated, and leaves no transaction open", async () => {
  const id = nextId++;
  const key = { key: `job:killed-${id}`, jobId: id, expiresAt: NEVER };
  await killedMidWrite(() => store.insertJobs(epoch, [job(id)], [key]));
  expect(await readKeyIds(store, epoch, [key.key], NOW)).toEqual(new Map([[key.key, id]]));
  const [open] = await operator.query<RowDataPacket[]>(
    "SELECT trx_id FROM information_schema.innodb_trx WHERE trx_mysql_thread_id IN (SELECT id FROM information_schema.processlist WHERE db = DATABASE())",
  );
  expect(open).toEqual([]);
});

test("adds, with and without keys, whose answer was lost are there once", async () => {
  // Odd sizes go as text.
  const jobs = Array.from({ length: 11 }, () => job(nextId++));
  await withLostAnswer("INSERT INTO jobinfo", () => store.insertJobs(epoch, jobs, []));
  const id = nextId++;
  const key = { key: `job:lost-${id}`, jobId: id, expiresAt: NEVER };
  await withLostAnswer("INSERT INTO jobkey", () => store.insertJobs(epoch, [job(id)], [key]));
  expect((await store.readJobs([...jobs.map((one) => one.id), id])).size).toBe(12);
});

test.each([1, 60, 1000])(
  "an add of %i jobs with a key waits for nobody in mid-transaction",
  async (count) => {
    const url = new URL(database.url);
    url.host = `127.0.0.1:${proxy.port}`;
    const frozen = openMysqlStore({ url: url.href, clock: systemClock, connections: 1 });
    const jobs = Array.from({ length: count }, () => job(nextId++));
    const keys = [{ key: `call:frozen-${count}`, jobId: jobs[0]?.id ?? 0, expiresAt: NEVER }];
    const held = proxy.freezeAfter("INSERT INTO jobkey");
    await frozen.insertJobs(epoch, jobs, keys);
    // A master that is frozen there holds no lock on the mastership.
    expect(held.heldBytes).toBe(0);
    expect((await store.readJobs(jobs.map(({ id }) => id))).size).toBe(count);
    await frozen.close();
  },
);

test("results whose answer was lost are the first rows still", async () => {
  const ids = Array.from({ length: 11 }, () => nextId++);
  const rows = ids.map((id) => result(id, 1));
  expect(await withLostAnswer("INSERT INTO jobresult", () => store.writeResults(rows))).toEqual(
    rows.map(() => "first"),
  );
});

test("a projection whose answer was lost has applied", async () => {
  const ids = [nextId++, nextId++];
  await store.insertJobs(
    epoch,
    ids.map((id) => job(id, { status: 3, claim: 1 })),
    [],
  );
  const projections = ids.map((id, index) => projection(id, { endedAt: index }));
  expect(await withLostAnswer("JSON_TABLE", () => store.projectJobs(projections, epoch))).toEqual([
    true,
    true,
  ]);
});

test("a change, a removal and an election whose answers were lost are known as done", async () => {
  const id = nextId++;
  const one = job(id, { spec: spec({ idempotencyKey: "cut" }) });
  await store.insertJobs(epoch, [one], [{ key: "job:cut", jobId: id, expiresAt: NEVER }]);
  const guard = { claim: 0, revision: 1, status: 1 } as const;
  const row = { ...one, revision: 2, spec: spec({ name: "CHANGED-NAME", idempotencyKey: "cut" }) };
  // Prepared statements: their values are in the packet that carries them out.
  expect(await withLostAnswer("CHANGED-NAME", () => store.changeJob(epoch, { jobId: id, guard, row }))).toBe(
    true,
  );
  expect((await store.readJobs([id])).get(id)).toEqual(row);
  const removal = () => store.deleteJob(epoch, id, { ...guard, revision: 2 });
  expect(await withLostAnswer("job:cut", removal)).toBe(true);
  expect(await readKeyIds(store, epoch, ["job:cut"], NOW)).toEqual(new Map());
  const to = { epoch: epoch + 1, incarnation: "NEXT-INCARNATION" };
  expect(await withLostAnswer("NEXT-INCARNATION", () => store.advanceEpoch(epoch, to))).toBe(true);
  epoch = to.epoch;
});

test.each([
  ["the job has changed since", { revision: 5 }],
  ["the job has changed since to just this, but for its claim", { claim: 1, revision: 2, isWanted: true }],
])("a change that missed, and whose answer was lost, is known as not done: %s", async (_, stored) => {
  const { isWanted = false, ...fields } = { isWanted: false, ...stored };
  const [id, twin] = [nextId++, nextId++];
  const wanted = job(id, { revision: 2, spec: spec({ name: `MISSED-${id}` }) });
  const before = isWanted ? { ...wanted, ...fields } : job(id, fields);
  // Another job that stands as this one is to.
  await store.insertJobs(epoch, [before, { ...wanted, id: twin }], []);
  const guard = { claim: 0, revision: 1, status: 1 } as const;
  const change = () => store.changeJob(epoch, { jobId: id, guard, row: wanted });
  expect(await withLostAnswer(`MISSED-${id}`, change)).toBe(false);
  expect((await store.readJobs([id])).get(id)).toEqual(before);
});

test("a removal that missed, and whose answer was lost, is known as not done", async () => {
  const id = nextId++;
  const changed = job(id, { revision: 5, spec: spec({ idempotencyKey: "kept" }) });
  await store.insertJobs(epoch, [changed], [{ key: "job:kept", jobId: id, expiresAt: NEVER }]);
  const removal = () => store.deleteJob(epoch, id, { claim: 0, revision: 1, status: 1 });
  expect(await withLostAnswer("job:kept", removal)).toBe(false);
  expect((await store.readJobs([id])).get(id)).toEqual(changed);
});

test("idle connections that the server closed are replaced without a word", async () => {
  const pooled = openMysqlStore({ url: database.url, clock: systemClock, connections: 3 });
  await Promise.all([pooled.readMastership(), pooled.readMastership(), pooled.readMastership()]);
  for (const { id } of await storeConnections()) await operator.query(`KILL ${id}`).catch(() => {});
  const read = await Promise.all(Array.from({ length: 6 }, () => pooled.readMastership()));
  expect(read.every((one) => one.epoch === epoch)).toBe(true);
  await pooled.close();
});

test("a lock held for longer than the lock wait limit is waited out", async () => {
  const id = nextId++;
  await operator.query("BEGIN; SELECT epoch FROM jobcluster WHERE id = 1 FOR UPDATE");
  const written = store.insertJobs(epoch, [job(id)], []);
  const isWaiting = async () => (await storeConnections()).some((one) => /cluster/.test(one.info ?? ""));
  await until("it waits", isWaiting);
  await until("its lock wait ends", async () => !(await isWaiting()));
  await operator.query("COMMIT");
  await written;
  expect((await store.readJobs([id])).size).toBe(1);
}, 20_000);

test("a server that stays out of reach makes calls fail with unavailable, after a time", async () => {
  const port = await freePort();
  const lost = openMysqlStore({ url: `mysql://root@127.0.0.1:${port}/none`, clock: fastClock });
  await expectCode(lost.migrate(), "unavailable");
  const startedAt = fastClock.monotonic();
  await expectCode(lost.readMastership(), "unavailable");
  expect(fastClock.monotonic() - startedAt).toBeGreaterThan(5_000);
  await lost.close();
  await expectCode(lost.readMastership(), "unavailable");
});

test("a statement that takes too long is given up, and the call fails with unavailable", async () => {
  await operator.query("BEGIN; SELECT epoch FROM jobcluster WHERE id = 1 FOR UPDATE");
  const hurried = openMysqlStore({ url: database.url, clock: fastClock, statementLimitMs: 20_000 });
  await expectCode(hurried.insertJobs(epoch, [job(nextId++)], []), "unavailable");
  await operator.query("COMMIT");
  await hurried.close();
});

test("an address that is no MySQL URL is refused by name, and a missing database too", async () => {
  for (const url of ["", "redis://x/1", "mysql://host", "mysql://host/"]) {
    expect(() => openMysqlStore({ url, clock: systemClock })).toThrow(
      /the MySQL URL is not valid \(.+\): use mysql:/,
    );
  }
  const url = new URL(database.url);
  url.pathname = "/no_such_database";
  const missing = openMysqlStore({ url: url.href, clock: systemClock });
  await expectCode(missing.migrate(), "failed_precondition");
  await missing.close();
});
