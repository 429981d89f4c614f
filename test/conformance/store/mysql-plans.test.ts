/** Which index each hot statement takes, and how many rows it reads. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Read } from "../../../src/store/dialect.ts";
import { MYSQL } from "../../../src/store/dialect.ts";
import { claimJobs } from "../../../src/store/mysql/claim-jobs.ts";
import { ConnectionPool } from "../../../src/store/mysql/connection-pool.ts";
import { projectJobs } from "../../../src/store/mysql/project-jobs.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { pageJobs, readFinalRows } from "../../../src/store/read-jobs.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { job, NOW, projection, result } from "../../fixtures/store-fixture.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { type PlanRow, planOf, readOf, rowsRead } from "./query-plan.ts";

const JOBS = 4_000;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let pool: ConnectionPool;

beforeAll(async () => {
  database = await freshDatabase();
  const store = openMysqlStore({ url: database.url, clock: systemClock });
  await store.migrate();
  await store.advanceEpoch(0, { epoch: 1, incarnation: "a" });
  const ids = Array.from({ length: JOBS }, (_, index) => index + 1);
  // Half of them due at one instant, the worst case for paging.
  await store.insertJobs(
    1,
    ids.map((id) => job(id, { at: NOW + Math.max(0, id - JOBS / 2) })),
    [],
  );
  await store.writeResults(ids.map((id) => result(id, 1)));
  await store.close();
  pool = new ConnectionPool({
    url: database.url,
    clock: systemClock,
    connections: 1,
    statementLimitMs: 5_000,
  });
  await pool.use((session) => session.read("ANALYZE TABLE jobinfo, jobresult", []));
}, 60_000);

afterAll(async () => {
  await pool?.close();
  await database?.drop();
});

test("a page reads the hot index in its order, and about as many rows as it gives", async () => {
  await pool.use(async (session) => {
    const after = { at: NOW, id: 1_000 };
    const query = { classId: 1, after, through: NOW + JOBS, limit: 100, maxPayloadBytes: 1_000 };
    const plans: (PlanRow | undefined)[] = [];
    const explained: Read = async (sql, values) => {
      plans.push(await planOf(session, sql, values, "jobinfo"));
      return [];
    };
    await pageJobs(explained, MYSQL, query);
    expect(plans[0]).toMatchObject({ type: "range", key: "jobinfo_hot" });
    expect(plans[0]?.Extra).not.toContain("filesort");
    const page = await pageJobs(readOf(session), MYSQL, query);
    expect(page.jobs.map((one) => one.record.id)).toEqual(
      Array.from({ length: 100 }, (_, index) => 1_001 + index),
    );
    // Showing the status reads a few dozen rows too.
    expect(await rowsRead(session, (read) => pageJobs(read, MYSQL, query))).toBeLessThan(300);
  });
});

test("claims go by primary key, alike or mixed", async () => {
  await pool.use(async (session) => {
    const execute = vi.spyOn(session, "execute");
    const alike = Array.from({ length: 300 }, (_, index) => ({ jobId: 1 + index, claim: 1, revision: 1 }));
    const mixed = alike.map((claim, index) => ({
      ...claim,
      jobId: claim.jobId + 300,
      claim: 1 + (index % 2),
    }));
    await claimJobs(session, 1, 1, alike, NOW);
    await claimJobs(session, 1, 1, mixed, NOW);
    for (const [sql, values] of execute.mock.calls.slice()) {
      expect(await planOf(session, sql, values, "jobinfo")).toMatchObject({ type: "range", key: "PRIMARY" });
    }
    expect(execute.mock.calls).toHaveLength(2);
  });
});

test("projections go by primary key, alike or mixed", async () => {
  await pool.use(async (session) => {
    const execute = vi.spyOn(session, "execute");
    const query = vi.spyOn(session, "query");
    const rows = Array.from({ length: 300 }, (_, index) => projection(1 + index));
    await projectJobs(session, rows, 1);
    await projectJobs(
      session,
      rows.map((row, index) => ({ ...row, endedAt: index })),
      1,
    );
    const [alike] = execute.mock.calls;
    const [mixed] = query.mock.calls;
    expect(await planOf(session, alike?.[0] ?? "", alike?.[1] ?? [], "jobinfo")).toMatchObject({
      type: "range",
      key: "PRIMARY",
    });
    expect(await planOf(session, mixed?.[0] ?? "", mixed?.[1] ?? [], "j")).toMatchObject({
      type: "eq_ref",
      key: "PRIMARY",
    });
  });
});

test("final rows are read by primary key", async () => {
  await pool.use(async (session) => {
    const plans: (PlanRow | undefined)[] = [];
    const read: Read = async (sql, values) => {
      plans.push(await planOf(session, sql, values, "jobresult"));
      return [];
    };
    await readFinalRows(
      read,
      MYSQL,
      Array.from({ length: 300 }, (_, index) => ({ jobId: 1 + index, claim: 1 })),
    );
    expect(plans[0]).toMatchObject({ type: "range", key: "PRIMARY" });
  });
});
