import { DatabaseSync } from "node:sqlite";
import mysql from "mysql2/promise";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import type { JobStore } from "../../../src/store/job-store.ts";
import { loadMigrations, tablesOf } from "../../../src/store/migrations.ts";
import { auditRecordOf } from "../../fixtures/audit-record.ts";
import { emptyDatabase, expectCode, job } from "../../fixtures/store-fixture.ts";

const NEWEST = loadMigrations("mysql").length;

type Adapter = "mysql" | "sqlite";
type Row = Readonly<Record<string, unknown>>;

/** Runs a statement past the store; returns the rows of a SELECT. */
async function runSql(adapter: Adapter, url: string, sql: string): Promise<Row[]> {
  if (adapter === "sqlite") {
    const database = new DatabaseSync(url);
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }
  const connection = await mysql.createConnection(url);
  const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
  await connection.end();
  return Array.isArray(rows) ? rows : [];
}

async function setVersion(adapter: Adapter, url: string, version: number): Promise<void> {
  await runSql(adapter, url, `INSERT INTO jobschema (version, applied_at) VALUES (${version}, 0)`);
}

async function tablesIn(adapter: Adapter, url: string): Promise<string[]> {
  const sql =
    adapter === "sqlite"
      ? "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
      : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1";
  return (await runSql(adapter, url, sql)).map((row) => String(row["name"]));
}

test("both databases have the same migrations", () => {
  expect(loadMigrations("sqlite").map((one) => one.version)).toEqual(
    loadMigrations("mysql").map((one) => one.version),
  );
});

test.each(["mysql", "sqlite"] as const)("all tables begin with job (%s)", (adapter) => {
  const tables = tablesOf(loadMigrations(adapter));
  expect(tables.size).toBeGreaterThan(7);
  for (const [name, columns] of tables) {
    expect(name).toMatch(/^job/);
    expect(columns.length).toBeGreaterThan(1);
  }
});

describe.each(["mysql", "sqlite"] as const)("migrations (%s)", (adapter) => {
  const tables = [...tablesOf(loadMigrations(adapter)).keys()];
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function database() {
    const { url, open, openAsNode, drop } = await emptyDatabase(adapter);
    cleanUps.push(drop);
    const closing = (store: JobStore) => {
      cleanUps.push(() => store.close());
      return store;
    };
    return { url, open: () => closing(open()), openAsNode: () => closing(openAsNode()) };
  }

  test("create an empty store, and change nothing when they run again", async () => {
    const { open } = await database();
    const store = open();
    await store.migrate();
    expect(await store.readMastership()).toEqual({ epoch: 0, incarnation: "" });
    await store.advanceEpoch(0, { epoch: 1, incarnation: "a" });
    await store.insertJobs(1, [job(1)], []);
    await store.migrate();
    await open().migrate();
    expect((await store.readJobs([1])).size).toBe(1);
    expect(await store.readMastership()).toEqual({ epoch: 1, incarnation: "a" });
  });

  test("run once when several processes start together", async () => {
    const { open } = await database();
    const stores = [open(), open(), open(), open()];
    await Promise.all(stores.map((store) => store.migrate()));
    for (const store of stores) expect((await store.readMastership()).epoch).toBe(0);
  });

  test("are not needed by an account that may only read and write rows", async () => {
    const { open, openAsNode } = await database();
    await open().migrate();
    const node = openAsNode();
    await node.migrate();
    await node.advanceEpoch(0, { epoch: 1, incarnation: "a" });
    await node.insertJobs(1, [job(1)], []);
    expect((await node.readJobs([1])).size).toBe(1);
  });

  test("work beside a schema that is one ahead, and refuse one that is two ahead", async () => {
    const { url, open } = await database();
    await open().migrate();
    await setVersion(adapter, url, NEWEST + 1);
    await open().migrate();
    await setVersion(adapter, url, NEWEST + 2);
    const error = await expectCode(open().migrate(), "failed_precondition");
    expect(error.message).toContain(`version ${NEWEST + 2}`);
  });

  test("tell of a table that is gone, and make no empty one in its place", async () => {
    const { url, open } = await database();
    await open().migrate();
    await runSql(adapter, url, "DROP TABLE jobaudit");
    const error = await expectCode(open().migrate(), "failed_precondition");
    expect(error.message).toContain("the table jobaudit is missing in the ");
    expect(await tablesIn(adapter, url)).not.toContain("jobaudit");
  });

  test("leave a store that says what to do about a table that goes later", async () => {
    const { url, open } = await database();
    const store = open();
    await store.migrate();
    await runSql(adapter, url, "DROP TABLE jobaudit");
    const error = await expectCode(store.writeAudit([auditRecordOf()]), "failed_precondition");
    expect(error.message).toMatch(/jobaudit.*; restore it from a backup$/);
  });

  test("live beside tables of the user's own, as cluster and schemaversion", async () => {
    const { url, open } = await database();
    for (const table of ["cluster", "schemaversion"]) {
      await runSql(adapter, url, `CREATE TABLE ${table} (title VARCHAR(9))`);
    }
    await open().migrate();
    expect(await tablesIn(adapter, url)).toEqual(
      expect.arrayContaining(["cluster", "jobcluster", "jobinfo"]),
    );
  });

  test.each(tables)("tell of a table %s that is not ours, and create nothing", async (table) => {
    const { url, open } = await database();
    await runSql(adapter, url, `CREATE TABLE ${table} (id INT NOT NULL, title VARCHAR(9))`);
    const error = await expectCode(open().migrate(), "failed_precondition");
    const place = adapter === "mysql" ? `the database ${new URL(url).pathname.slice(1)}` : `the file ${url}`;
    expect(error.message).toBe(
      `the table ${table} in ${place} is not elastic-job's: give elastic-job a database of its own, or rename it; nothing was created`,
    );
    expect(await tablesIn(adapter, url)).toEqual([table]);
  });

  test.each([...tables, "job"])(
    "tell of a view %s, which is none of ours, and create nothing",
    async (name) => {
      const { url, open } = await database();
      await runSql(adapter, url, "CREATE TABLE mine (id INT NOT NULL, title VARCHAR(9))");
      const columns = tablesOf(loadMigrations(adapter)).get(name) ?? ["id"];
      const selected = columns.map((column) => `id AS ${column}`).join(", ");
      await runSql(adapter, url, `CREATE VIEW ${name} AS SELECT ${selected} FROM mine`);
      if (name === "job") {
        // No table of ours has this name.
        await open().migrate();
        expect(await tablesIn(adapter, url)).toEqual(expect.arrayContaining(tables));
        return;
      }
      const error = await expectCode(open().migrate(), "failed_precondition");
      expect(error.message).toMatch(
        new RegExp(`^the view ${name} in .* is not elastic-job's: .*; nothing was created$`),
      );
      expect(await tablesIn(adapter, url)).toEqual(
        adapter === "mysql" ? ["mine", name].toSorted() : ["mine"],
      );
    },
  );

  test("give the cluster an identity, once and for ever", async () => {
    const identities = new Set<unknown>();
    for (const { url, open } of [await database(), await database()]) {
      const store = open();
      await store.migrate();
      const read = () => runSql(adapter, url, "SELECT identity FROM jobcluster WHERE id = 1");
      const [row] = await read();
      expect(row?.["identity"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      await store.advanceEpoch(0, { epoch: 1, incarnation: "a" });
      await open().migrate();
      expect(await read()).toEqual([row]);
      identities.add(row?.["identity"]);
    }
    expect(identities.size).toBe(2);
  });
});

test("an account that may not create what is missing is told so (mysql)", async () => {
  const { openAsNode, drop } = await emptyDatabase("mysql");
  const node = openAsNode();
  onTestFinished(async () => {
    await node.close();
    await drop();
  });
  const error = await expectCode(node.migrate(), "failed_precondition");
  expect(error.message).toMatch(/^MySQL: CREATE command denied .*jobschema/);
});

test("migrations (mysql) go on where a process ended between two statements", async () => {
  const { url, open, drop } = await emptyDatabase("mysql");
  const [first, second] = [open(), open()];
  onTestFinished(async () => {
    await Promise.all([first.close(), second.close()]);
    await drop();
  });
  await first.migrate();
  await runSql("mysql", url, "DELETE FROM jobschema");
  await runSql("mysql", url, "DROP TABLE jobkey, jobresult");
  const [before] = await runSql("mysql", url, "SELECT identity FROM jobcluster WHERE id = 1");
  await second.migrate();
  expect(await tablesIn("mysql", url)).toEqual([...tablesOf(loadMigrations("mysql")).keys()].toSorted());
  expect(await runSql("mysql", url, "SELECT identity FROM jobcluster WHERE id = 1")).toEqual([before]);
});
