/** The query by which Kubernetes scales the nodes, on the tables as they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import mysql, { type RowDataPacket } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { farEnd, NEVER, STORED_STATUS } from "../../../src/core/job.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { job } from "../../fixtures/store-fixture.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { explain } from "./query-plan.ts";

const MANIFEST = join(import.meta.dirname, "../../../deploy/kubernetes/autoscaler.yaml");

interface ScaledObject {
  readonly kind: string;
  readonly spec: { readonly triggers: readonly { readonly metadata: { readonly query: string } }[] };
}

function queryOfManifest(): string {
  for (const document of parseAllDocuments(readFileSync(MANIFEST, "utf8"))) {
    const manifest = document.toJS() as ScaledObject;
    const query = manifest.kind === "ScaledObject" ? manifest.spec.triggers[0]?.metadata.query : undefined;
    if (query !== undefined) return query;
  }
  throw new Error("no query");
}

test("counts the jobs that are due and have not ended, waiting and running, and no others", async () => {
  const database = await freshDatabase();
  const store = openMysqlStore({ url: database.url, clock: systemClock });
  const connection = await mysql.createConnection(database.url);
  onTestFinished(async () => {
    await connection.end();
    await store.close();
    await database.drop();
  });
  await store.migrate();
  await store.advanceEpoch(0, { epoch: 1, incarnation: "a" });
  const now = Date.now();
  const { WAITING, RUNNING, PAUSED, SUCCEEDED } = STORED_STATUS;
  for (const id of [1, 2]) await store.addClass(1, { id, handler: `handler-${id}`, labels: {} });
  const rows = [
    { at: now - 60_000, status: WAITING },
    { at: now - 1_000, status: RUNNING, classId: 2 },
    { at: now + 3_600_000, status: WAITING },
    { at: NEVER, status: PAUSED },
    { at: farEnd(now - 5_000), status: SUCCEEDED, classId: 2 },
  ];
  await store.insertJobs(
    1,
    rows.map((row, index) => job(index + 1, { classId: 1, ...row })),
    [],
  );
  const query = queryOfManifest();
  const [found] = await connection.query<RowDataPacket[]>(query);
  expect(Object.values(found[0] ?? {}).map(Number)).toEqual([2]);
  const read = async <Row>(sql: string) => (await connection.query<RowDataPacket[]>(sql))[0] as Row[];
  const jobs = (await explain(read, query, [])).find(({ table }) => table === "jobinfo");
  expect(jobs?.key).not.toBe("PRIMARY");
  expect(jobs?.Extra).toMatch(/Using index/);
});
