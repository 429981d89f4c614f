/** Lists, counts and retention read a bounded number of rows, by an index that is there anyway. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { farEnd, OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import { MYSQL, type Read } from "../../../src/store/dialect.ts";
import { pageEnded, pageFreeKeys, pageResultAges } from "../../../src/store/expiry.ts";
import { countJobs, listJobs } from "../../../src/store/job-list-query.ts";
import type { JobFilter } from "../../../src/store/job-store.ts";
import { ConnectionPool, type Session } from "../../../src/store/mysql/connection-pool.ts";
import {
  deleteResults,
  expireJobs,
  expireKeys,
  expireResultsOfGone,
} from "../../../src/store/mysql/expire.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { listResults } from "../../../src/store/result-list-query.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { job, NOW, result, spec } from "../../fixtures/store-fixture.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { explain, explaining, ofOurTables, type PlanRow, readOf, rowsRead } from "./query-plan.ts";

const BASE = 4_000;
const JOBS = 64_000;
/** A list finds the end of its scan, scans, and reads what it found. */
const LIST_READS = 2 * 2_000 + 1_000;
const COUNT_READS = 2 * 20_000 + 1_000;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let pool: ConnectionPool;

beforeAll(async () => {
  database = await freshDatabase();
  const store = openMysqlStore({ url: database.url, clock: systemClock });
  await store.migrate();
  await store.advanceEpoch(0, { epoch: 1, incarnation: "a" });
  await store.addClass(1, { id: 1, handler: "echo", labels: {} });
  await store.addClass(1, { id: 2, handler: "rare", labels: {} });
  const ids = Array.from({ length: BASE }, (_, index) => index + 1);
  const keys = ids.map((id) => ({ key: `job:${id}`, jobId: id, expiresAt: NOW }));
  const jobs = ids.map((id) =>
    job(id, {
      classId: id <= 5 ? 2 : 1,
      status: id <= 5 ? STORED_STATUS.FAILED : STORED_STATUS.SUCCEEDED,
      at: farEnd(NOW + id),
      claim: 1,
      spec: spec({ name: id <= 5 ? `needle ${id}` : `job ${id}` }),
    }),
  );
  await store.insertJobs(1, jobs, keys);
  await store.writeResults(ids.map((id) => result(id, 1)));
  await store.close();
  pool = new ConnectionPool({
    url: database.url,
    clock: systemClock,
    connections: 1,
    statementLimitMs: 30_000,
  });
  await pool.use(async (session) => {
    for (let there = BASE; there < JOBS; there *= 2) {
      await session.query(
        `INSERT INTO jobinfo SELECT id + ${there}, 1, at + ${there}, ${STORED_STATUS.SUCCEEDED}, claim, attempt, failures,
        lost, revision, node, epoch, parent_id, scheduled_at, ended_at, create_time, update_time, priority,
        CONCAT('job ', id), spec, payload FROM jobinfo`,
      );
      await session.query(
        `INSERT INTO jobresult SELECT job_id + ${there}, claim, late, outcome, attempt, scheduled_at, start_time, end_time,
        retry_at, node, epoch, placement, output, error, reason, skipped_through, skipped_count FROM jobresult`,
      );
    }
    await session.read("ANALYZE TABLE jobinfo, jobresult, jobkey", []);
  });
}, 120_000);

afterAll(async () => {
  await pool?.close();
  await database?.drop();
});

/** The plans of all that `work` reads from the tables of jobs, results and keys. */
async function plansOf(
  session: Session,
  work: (read: Read) => Promise<unknown>,
  atLeast = 1,
): Promise<PlanRow[]> {
  const plans: PlanRow[] = [];
  await work(async (sql, values) => {
    plans.push(...ofOurTables(await explain(readOf(session), sql, values)));
    return session.read(sql, values);
  });
  expect(plans.length, "plans").toBeGreaterThanOrEqual(atLeast);
  return plans;
}

/** A handler that no class has is known to have no jobs: nothing is read. */
const fewestPlans = ({ handler }: JobFilter) => (handler === "absent" ? 0 : 1);

const filters: [string, JobFilter][] = [
  ["no filter", {}],
  ["a status that most have", { status: STORED_STATUS.SUCCEEDED }],
  ["a status that none has", { status: STORED_STATUS.RUNNING }],
  ["what is due", { status: STORED_STATUS.WAITING, dueBy: NOW }],
  ["a handler that most have", { handler: "echo" }],
  ["a handler that few have", { handler: "rare" }],
  ["a handler that none has", { handler: "absent" }],
  ["a name that few have", { namePrefix: "needle" }],
  ["a parent that none has", { parentId: 1 }],
  ["all of them", { status: STORED_STATUS.FAILED, handler: "rare", namePrefix: "needle" }],
];

test.each(filters)("a list by %s scans a bounded part of the primary key", async (_, filter) => {
  await pool.use(async (session) => {
    for (const before of [null, JOBS / 2]) {
      const list = (read: Read) => listJobs(read, MYSQL, filter, { before, limit: 100 });
      for (const plan of await plansOf(session, list, fewestPlans(filter))) {
        expect(plan).toMatchObject({ type: "range", key: "PRIMARY" });
        expect(plan.Extra ?? "").not.toContain("filesort");
      }
      expect(await rowsRead(session, list)).toBeLessThan(LIST_READS);
    }
  });
});

test.each(filters)("a count by %s scans a bounded part of the primary key", async (_, filter) => {
  await pool.use(async (session) => {
    const count = (read: Read) => countJobs(read, MYSQL, filter, 10_000);
    for (const plan of await plansOf(session, count, fewestPlans(filter))) expect(plan.key).toBe("PRIMARY");
    expect(await rowsRead(session, count)).toBeLessThan(COUNT_READS);
  });
});

test("a count is of the newest jobs, when there are more than it looks at", async () => {
  await pool.use(async (session) => {
    const count = (filter: JobFilter) => countJobs(readOf(session), MYSQL, filter, 10_000);
    expect(await count({})).toBe(10_000);
    expect(await count({ handler: "echo" })).toBe(10_000);
    expect(await count({ namePrefix: "job 17" })).toBeGreaterThan(0);
    expect(await count({ namePrefix: "needle" })).toBe(0);
  });
});

test.each([
  ["no filter", {}],
  ["an outcome that all have", { outcome: OUTCOME.SUCCEEDED }],
  ["an outcome that none has", { outcome: OUTCOME.LOST }],
  ["a job", { jobId: 17 }],
  ["a job and an outcome", { jobId: 17, outcome: OUTCOME.LOST }],
])("a list of results by %s scans a bounded part of the primary key", async (_, filter) => {
  await pool.use(async (session) => {
    for (const before of [null, { jobId: JOBS / 2, claim: 1, late: true }]) {
      const list = (read: Read) => listResults(read, MYSQL, filter, { before, limit: 100 });
      for (const plan of await plansOf(session, list)) {
        expect(plan.key).toBe("PRIMARY");
        expect(plan.Extra ?? "").not.toContain("filesort");
      }
      expect(await rowsRead(session, list)).toBeLessThan(LIST_READS);
    }
  });
});

test("retention reads about as many rows as it looks at", async () => {
  await pool.use(async (session) => {
    const ended = (read: Read) =>
      pageEnded(read, MYSQL, {
        classId: 1,
        after: { at: farEnd(NOW + 500), id: 500 },
        endedBy: NOW + JOBS,
        limit: 500,
      });
    const [plan] = await plansOf(session, ended);
    expect(plan).toMatchObject({ type: "range", key: "jobinfo_hot" });
    expect(plan?.Extra).not.toContain("filesort");
    expect(await rowsRead(session, ended)).toBeLessThan(700);
    const ages = (read: Read) => pageResultAges(read, MYSQL, { jobId: JOBS / 2, claim: 1 }, 500);
    for (const one of await plansOf(session, ages)) expect(one.key).toBe("PRIMARY");
    // The rows, what they are put into and read from again, and each row's job.
    expect(await rowsRead(session, ages)).toBeLessThan(5 * 500);
    const keys = (read: Read) => pageFreeKeys(read, { after: "job:2", expiredBy: 0, limit: 500 });
    for (const one of await plansOf(session, keys)) expect(one.key).toBe("PRIMARY");
    expect(await rowsRead(session, keys)).toBeLessThan(5 * 500);
  });
});

test("retention deletes by primary key, also most of a small table", async () => {
  await pool.use(async (session) => {
    await session.query(`DELETE FROM jobinfo WHERE id > ${BASE}`);
    await session.query(`DELETE FROM jobresult WHERE job_id > ${BASE}`);
    await session.read("ANALYZE TABLE jobinfo, jobresult, jobkey", []);
    const plans: PlanRow[] = [];
    const explained = explaining(session, plans);
    const ids = Array.from({ length: 1000 }, (_, index) => 100 + index);
    const expired = { ids, statuses: [STORED_STATUS.SUCCEEDED], endedBy: NOW + JOBS };
    expect(await expireJobs(explained, 1, expired)).toBe(1000);
    expect(await expireResultsOfGone(explained, 1, ids, 500)).toBe(500);
    const claims = ids.map((id) => ({ jobId: id + 1000, claim: 1 }));
    expect(await deleteResults(explained, 1, claims, Number.MAX_SAFE_INTEGER)).toBe(1000);
    const page = { after: null, expiredBy: NOW, limit: 1000 };
    expect((await expireKeys(explained, 1, page)).removed).toBe(1000);
    expect(plans).toHaveLength(4);
    for (const plan of plans) expect(plan).toMatchObject({ type: "range", key: "PRIMARY" });
  });
});
