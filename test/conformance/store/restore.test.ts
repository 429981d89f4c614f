/** A database that was restored from a copy of which each table is of another moment, as dumps without a transaction are. */
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import mysql from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { ElasticJobError } from "../../../src/core/errors.ts";
import type { Mastership } from "../../../src/master/mastership.ts";
import { loadMigrations, tablesOf } from "../../../src/store/migrations.ts";
import { itemOf } from "../../fixtures/add-items.ts";
import { emptyDatabase, result, spec } from "../../fixtures/store-fixture.ts";
import { startMastership } from "../../fixtures/test-master.ts";
import { until } from "../../fixtures/until.ts";

const JOBS_A_CALL = 1_000;
/** More than one block of ids. */
const CALLS_A_PHASE = 12;

type Adapter = "mysql" | "sqlite";

/** Calls with keys, each of jobs that are named for it and their place. */
class Caller {
  readonly acknowledged = new Map<string, readonly number[]>();
  private readonly api: Mastership;
  private readonly prefix: string;

  constructor(api: Mastership, prefix: string) {
    this.api = api;
    this.prefix = prefix;
  }

  async call(key = `${this.prefix}-${this.acknowledged.size}`): Promise<readonly number[]> {
    const items = Array.from({ length: JOBS_A_CALL }, (_, place) =>
      spec({
        handler: "work",
        name: `${key}/${place}`,
        schedule: { kind: "timed", runAt: 4_000_000_000_000 },
      }),
    );
    const ids = (await this.api.addJobs(items.map(itemOf), key)).map((added) => {
      if (added instanceof ElasticJobError) throw added;
      return added.jobId;
    });
    this.acknowledged.set(key, ids);
    return ids;
  }
}

async function copyTable(adapter: Adapter, from: string, to: string, table: string): Promise<void> {
  if (adapter === "sqlite") {
    const database = new DatabaseSync(to);
    database.exec(
      `ATTACH '${from}' AS source; DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM source.${table}`,
    );
    database.close();
    return;
  }
  const connection = await mysql.createConnection({ uri: to, multipleStatements: true });
  const source = new URL(from).pathname.slice(1);
  await connection.query(
    `DROP TABLE ${table}; CREATE TABLE ${table} LIKE ${source}.${table}; INSERT INTO ${table} SELECT * FROM ${source}.${table}`,
  );
  await connection.end();
}

/** Waits for the second that is in the table's time of making to be over. */
async function secondPassed(adapter: Adapter): Promise<void> {
  if (adapter === "sqlite") return;
  const second = () => Math.floor(Date.now() / 1000);
  const now = second();
  await until("the next second", () => second() > now + 1);
}

async function open(adapter: Adapter) {
  const { url, open: openMigrator, openAsNode, drop } = await emptyDatabase(adapter);
  const migrator = openMigrator();
  await migrator.migrate().finally(() => migrator.close());
  const store = openAsNode();
  onTestFinished(async () => {
    await store.close();
    await drop();
  });
  return { url, store };
}

describe.each<Adapter>(["mysql", "sqlite"])("a copy that was taken under load (%s)", (adapter) => {
  const others = [...tablesOf(loadMigrations(adapter)).keys()].filter(
    (table) => !/^job(schema|idblock|info|key|result)$/.test(table),
  );

  /** Tables of one phase are copied together; then there are adds of more than a block of ids, before the next phase. */
  const phases: [string, string[][]][] = [
    ["its blocks before its jobs", [["jobidblock"], ["jobinfo"], ["jobkey", "jobresult"]]],
    ["its blocks before all else", [["jobidblock"], ["jobinfo", "jobkey", "jobresult"]]],
    ["its results last", [["jobidblock", "jobinfo", "jobkey"], ["jobresult"]]],
  ];
  // Of SQLite, a copy is of one moment: there, ids are looked for in keys only if jobs or results show a restore.
  if (adapter === "mysql")
    phases.push(["its keys last", [["jobidblock", "jobinfo", "jobresult"], ["jobkey"]]]);

  test.each(phases)(
    "with %s gives out no id twice, and no call finds another's jobs",
    async (_name, order) => {
      const source = await open(adapter);
      const copy = await open(adapter);
      const master = await startMastership(source.store, { embedded: true });
      const caller = new Caller(master.api, "old");
      await secondPassed(adapter);
      for (const table of others) await copyTable(adapter, source.url, copy.url, table);
      let isOver = false;
      const load = (async () => {
        while (!isOver) {
          const ids = await caller.call();
          // A job that is gone leaves only its result.
          await source.store.writeResults([result(ids[0] ?? 0, 1)]);
          // On SQLite nothing waits for anything else.
          await setImmediate();
        }
      })();
      await until("some adds", () => caller.acknowledged.size > 1);
      for (const [index, tables] of order.entries()) {
        const before = caller.acknowledged.size;
        if (index > 0)
          await until("more adds", () => caller.acknowledged.size >= before + CALLS_A_PHASE, 60_000);
        for (const table of tables) await copyTable(adapter, source.url, copy.url, table);
      }
      isOver = true;
      await load;
      master.end.abort();

      const restored = await startMastership(copy.store, { embedded: true });
      onTestFinished(() => restored.end.abort());
      const { items } = await copy.store.listResults({}, { before: null, limit: 1000 });
      const results = new Set(items.map(({ jobId }) => jobId));
      const fresh = new Caller(restored.api, "new");
      const issued: number[] = [];
      // As many as would come to what the newest tables have.
      for (let calls = 0; calls < 2 * CALLS_A_PHASE; calls++) issued.push(...(await fresh.call()));
      expect(new Set(issued).size).toBe(issued.length);
      expect(issued.filter((id) => results.has(id))).toEqual([]);

      const again = new Caller(restored.api, "again");
      for (const key of caller.acknowledged.keys()) {
        const ids = await again.call(key);
        const rows = await copy.store.readJobs(ids);
        expect(ids.map((id) => rows.get(id)?.spec.name)).toEqual(ids.map((_, place) => `${key}/${place}`));
      }
    },
    180_000,
  );
});
