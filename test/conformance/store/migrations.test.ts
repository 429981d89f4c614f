import { DatabaseSync } from "node:sqlite";
import mysql from "mysql2/promise";
import { afterEach, describe, expect, test } from "vitest";
import { loadMigrations } from "../../../src/store/migrations.ts";
import { emptyDatabase, expectCode, job } from "../../fixtures/store-fixture.ts";

const NEWEST = loadMigrations("mysql").length;

async function setVersion(adapter: "mysql" | "sqlite", url: string, version: number): Promise<void> {
  const sql = `INSERT INTO schemaversion (version, applied_at) VALUES (${version}, 0)`;
  if (adapter === "sqlite") {
    const database = new DatabaseSync(url);
    database.exec(sql);
    database.close();
    return;
  }
  const connection = await mysql.createConnection(url);
  await connection.query(sql);
  await connection.end();
}

test("both databases have the same migrations", () => {
  expect(loadMigrations("sqlite").map((one) => one.version)).toEqual(
    loadMigrations("mysql").map((one) => one.version),
  );
});

describe.each(["mysql", "sqlite"] as const)("migrations (%s)", (adapter) => {
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function database() {
    const { url, open, drop } = await emptyDatabase(adapter);
    cleanUps.push(drop);
    return {
      url,
      open() {
        const store = open();
        cleanUps.push(() => store.close());
        return store;
      },
    };
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

  test("work beside a schema that is one ahead, and refuse one that is two ahead", async () => {
    const { url, open } = await database();
    await open().migrate();
    await setVersion(adapter, url, NEWEST + 1);
    await open().migrate();
    await setVersion(adapter, url, NEWEST + 2);
    const error = await expectCode(open().migrate(), "failed_precondition");
    expect(error.message).toContain(`version ${NEWEST + 2}`);
  });
});
