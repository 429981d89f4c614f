/**
 * How long lists take on big tables: `node bench/lists.ts <mysql-url> [rows, default 1000000]`.
 * Fills the schema at the URL (which must be empty, or filled by this command before) and prints p50
 * and max for each filter, on the newest rows and at random depths.
 */
import mysql from "mysql2/promise";
import { farEnd, OUTCOME, STORED_STATUS } from "../src/core/job.ts";
import type { JobFilter, JobStore, ResultFilter } from "../src/store/job-store.ts";
import { openMysqlStore } from "../src/store/open.ts";
import { systemClock } from "../src/system-clock.ts";
import { recordOf, resultOf, specOf } from "../test/fixtures/job-fixture.ts";

const BASE = 10_000;
const CHUNK = 250_000;
const CALLS = 200;

const [url, size = "1000000"] = process.argv.slice(2);
if (url === undefined || !/^[1-9]\d{3,8}$/.test(size)) {
  console.error("usage: node bench/lists.ts mysql://user:password@host:port/database [rows]");
  process.exit(2);
}
const rows = Number(size);
const store = openMysqlStore({ url, clock: systemClock, statementLimitMs: 60_000 });
await store.migrate();
await fill(store, url, rows);
console.log(`${rows} jobs, ${rows} results, ${CALLS} calls each; milliseconds`);
console.log(["call".padEnd(44), "p50", "p99", "max"].join("\t"));
await measureAll(store);
await store.close();

async function measureAll(from: JobStore): Promise<void> {
  const jobFilters: Record<string, JobFilter> = {
    "all jobs": {},
    "status SUCCEEDED (most)": { status: STORED_STATUS.SUCCEEDED },
    "status RUNNING (none)": { status: STORED_STATUS.RUNNING },
    "handler echo (most)": { handler: "echo" },
    "handler rare (the 10 oldest)": { handler: "rare" },
    "handler that no job has": { handler: "absent" },
    "name prefix job 1 (a tenth)": { namePrefix: "job 1" },
    "name prefix needle (the 10 oldest)": { namePrefix: "needle" },
    "status, handler and name prefix (none)": {
      status: STORED_STATUS.FAILED,
      handler: "echo",
      namePrefix: "needle",
    },
  };
  for (const [name, filter] of Object.entries(jobFilters)) {
    await measure(`${name}, newest`, () => from.listJobs(filter, { before: null, limit: 100 }));
    await measure(`${name}, anywhere`, () => from.listJobs(filter, { before: anyId(), limit: 100 }));
  }
  for (const [name, filter] of Object.entries(jobFilters)) {
    await measure(`count: ${name}`, () => from.countJobs(filter, 10_000));
  }
  const resultFilters: Record<string, ResultFilter> = {
    "all results": {},
    "outcome SUCCEEDED (most)": { outcome: OUTCOME.SUCCEEDED },
    "outcome LOST (none)": { outcome: OUTCOME.LOST },
  };
  for (const [name, filter] of Object.entries(resultFilters)) {
    await measure(`${name}, newest`, () => from.listResults(filter, { before: null, limit: 100 }));
    await measure(`${name}, anywhere`, () =>
      from.listResults(filter, { before: { jobId: anyId(), claim: 1, late: false }, limit: 100 }),
    );
  }
  await measure("results of one job", () =>
    from.listResults({ jobId: anyId() }, { before: null, limit: 100 }),
  );
}

function anyId(): number {
  return 1 + Math.floor(Math.random() * rows);
}

async function measure(name: string, call: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let count = 0; count < CALLS; count++) {
    const startedAt = performance.now();
    await call();
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
  console.log([name.padEnd(44), at(0.5), at(0.99), at(1)].join("\t"));
}

/** A few thousand rows by hand, then copies of them by the server. */
async function fill(into: JobStore, at: string, wanted: number): Promise<void> {
  const connection = await mysql.createConnection(at);
  try {
    const [[found]] = await connection.query<mysql.RowDataPacket[]>("SELECT MAX(id) AS id FROM jobinfo");
    let there = Number(found?.["id"] ?? 0);
    if (there >= wanted) return;
    if (there === 0) {
      await addBase(into);
      there = BASE;
    }
    const startedAt = performance.now();
    while (there < wanted) {
      const count = Math.min(there, CHUNK, wanted - there);
      // Not the first ten, which are rare.
      await connection.query(
        `INSERT INTO jobinfo SELECT id + ?, 1, at + ?, status, claim, attempt, failures, lost, revision, node, epoch,
        parent_id, scheduled_at, ended_at, create_time, update_time, priority,
        CONCAT('job ', id % 10, ' copy'), spec, payload FROM jobinfo WHERE id > ? AND id <= ?`,
        [there, there, 0, count],
      );
      await connection.query(
        `INSERT INTO jobresult SELECT job_id + ?, claim, late, outcome, attempt, scheduled_at, start_time, end_time,
        retry_at, node, epoch, placement, output, error, reason, skipped_through, skipped_count
        FROM jobresult WHERE job_id > ? AND job_id <= ?`,
        [there, 0, count],
      );
      there += count;
    }
    await connection.query("ANALYZE TABLE jobinfo, jobresult");
    console.log(`filled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  } finally {
    await connection.end();
  }
}

async function addBase(into: JobStore): Promise<void> {
  const { epoch } = await into.readMastership();
  await into.advanceEpoch(epoch, { epoch: epoch + 1, incarnation: "bench" });
  await into.addClass(epoch + 1, { id: 1, handler: "echo", labels: {} });
  await into.addClass(epoch + 1, { id: 2, handler: "rare", labels: {} });
  const now = Date.now();
  const ids = Array.from({ length: BASE }, (_, index) => index + 1);
  for (let start = 0; start < BASE; start += 1000) {
    const part = ids.slice(start, start + 1000);
    const jobs = part.map((id) => {
      const payload = JSON.stringify({ customer: id, text: "x".repeat(120) });
      const name = id <= 10 ? `needle ${id}` : `job ${id % 10}`;
      return recordOf({
        id,
        classId: id <= 10 ? 2 : 1,
        status: id % 50 === 0 ? STORED_STATUS.FAILED : STORED_STATUS.SUCCEEDED,
        at: farEnd(now),
        scheduledAt: now,
        claim: 1,
        attempt: 1,
        endedAt: now,
        node: 1,
        createTime: now,
        updateTime: now,
        spec: specOf({ name, payload }),
      });
    });
    await into.insertJobs(epoch + 1, jobs, []);
    await into.writeResults(
      part.map((id) =>
        resultOf({
          jobId: id,
          outcome: id % 50 === 0 ? OUTCOME.FAILED : OUTCOME.SUCCEEDED,
          scheduledAt: now,
          startTime: now,
          endTime: now,
          placement: "least_loaded 0.1",
          output: JSON.stringify({ ok: true, text: "y".repeat(100) }),
        }),
      ),
    );
  }
}
