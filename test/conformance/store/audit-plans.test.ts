/** Reads and deletes of a large audit look at a bounded number of rows, by an index. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuditFilter } from "../../../src/core/audit/audit-record.ts";
import { listAudit, pageOldAudit, skipAudit } from "../../../src/store/audit-query.ts";
import { MYSQL, type Read } from "../../../src/store/dialect.ts";
import { expireAudit } from "../../../src/store/mysql/audit-rows.ts";
import { ConnectionPool } from "../../../src/store/mysql/connection-pool.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { auditRecordOf } from "../../fixtures/audit-record.ts";
import { NOW } from "../../fixtures/job-fixture.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { explaining, type PlanRow, rowsRead } from "./query-plan.ts";

const BASE = 4_000;
const ROWS = 64_000;
/** Two thousand to find where it ends, and again to look at them; a thousand adds, and what they are read by. */
const LIST_READS = 2 * 2_000 + 3 * 1_000;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let pool: ConnectionPool;

beforeAll(async () => {
  database = await freshDatabase();
  const store = openMysqlStore({ url: database.url, clock: systemClock });
  await store.migrate();
  await store.advanceEpoch(0, { epoch: 1, incarnation: "a" });
  const records = Array.from({ length: BASE }, (_, index) =>
    auditRecordOf({
      at: NOW + index,
      id: index + 1,
      caller: { name: index === 0 ? "rare" : "busy", address: "::1", forwardedFor: "" },
      ...(index % 2 === 0
        ? { method: "AddJobs", firstJobId: index + 1, lastJobId: index + 50 }
        : { method: "PauseJob", jobId: 7 }),
    }),
  );
  await store.writeAudit(records);
  await store.close();
  pool = new ConnectionPool({
    url: database.url,
    clock: systemClock,
    connections: 1,
    statementLimitMs: 30_000,
  });
  await pool.use(async (session) => {
    const columns =
      "epoch, caller, address, forwarded_for, method, job_id, node_id, first_job, last_job, n, detail, outcome";
    for (let there = BASE; there < ROWS; there *= 2) {
      await session.query(
        `INSERT INTO jobaudit (at, id, ${columns}) SELECT at + ${there}, id, ${columns.replace("first_job, last_job", `first_job + ${there}, last_job + ${there}`)} FROM jobaudit`,
      );
    }
    await session.read("ANALYZE TABLE jobaudit", []);
  });
}, 60_000);
afterAll(async () => {
  await pool.close();
  await database.drop();
});

test.each<[string, AuditFilter]>([
  ["all of it", {}],
  ["a caller whose last record is old", { caller: "rare" }],
  ["a time", { since: NOW + 10_000, until: NOW + 20_000 }],
  ["a method within a time", { method: "DrainNode", until: NOW + 30_000 }],
  ["a job with many records", { jobId: 7, caller: "rare" }],
  ["a job that was added long ago", { jobId: 500 }],
  ["a job that is not there", { jobId: 10_000_000 }],
])("a list of %s", async (_, filter) => {
  await pool.use(async (session) => {
    const list = (read: Read) => listAudit(read, MYSQL, filter, { before: null, limit: 1_000 });
    expect(await rowsRead(session, list)).toBeLessThan(LIST_READS);
  });
});

test("retention", async () => {
  await pool.use(async (session) => {
    const through = { at: NOW + ROWS, id: 1 };
    const old = (read: Read) => pageOldAudit(read, MYSQL, through, 500);
    expect(await rowsRead(session, old)).toBeLessThan(600);
    const skip = (read: Read) => skipAudit(read, MYSQL, through, 1_000);
    expect(await rowsRead(session, skip)).toBeLessThan(1_100);
    const plans: PlanRow[] = [];
    expect(await expireAudit(explaining(session, plans), 1, through, 500)).toBe(500);
    expect(plans).toMatchObject([{ type: "range", key: "PRIMARY" }]);
  });
});
