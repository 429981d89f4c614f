/** Makes our tables large without running a job: copies what is there, under ids that no master gives out. */
import type { Pool, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { JOB_COLUMNS } from "../src/store/job-row.ts";

/** Far above what is given out in a benchmark, and below 2^53 for every copy. */
const ID_STEP = 1e13;

const SETTLE_LIMIT_MS = 300_000;
/** Of 16 KiB. */
const FEW_PAGES = 100;

/** Adds `copies` copies of every job and result, and waits until they are on the disk. Returns how many jobs were added. */
export async function copyRows(pool: Pool, copies: number): Promise<number> {
  const resultColumns = await columnsOf(pool, "jobresult");
  let added = 0;
  for (let copy = 1; copy <= copies; copy++) {
    const step = copy * ID_STEP;
    added += await copyTable(pool, "jobinfo", "id", JOB_COLUMNS, step);
    await copyTable(pool, "jobresult", "job_id", resultColumns, step);
  }
  await settle(pool);
  return added;
}

/** What makes the server write out all that it has changed, as fast as it can. */
const WRITE_OUT = {
  innodb_io_capacity_max: 20_000,
  innodb_io_capacity: 20_000,
  innodb_max_dirty_pages_pct: 0,
} as const;

/** What is measured next must not pay for what was written before. */
async function settle(pool: Pool): Promise<void> {
  const names = Object.keys(WRITE_OUT);
  const [[usual]] = await pool.query<RowDataPacket[]>(
    `SELECT ${names.map((name) => `@@${name} AS ${name}`).join(", ")}`,
  );
  for (const [name, value] of Object.entries(WRITE_OUT)) await pool.query(`SET GLOBAL ${name} = ?`, [value]);
  const limit = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const [[dirty]] = await pool.query<RowDataPacket[]>("SHOW STATUS LIKE 'Innodb_buffer_pool_pages_dirty'");
    if (Number(dirty?.["Value"]) < FEW_PAGES) break;
    if (performance.now() > limit)
      throw new Error(`the database still has ${dirty?.["Value"]} pages to write`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const name of names.toReversed()) await pool.query(`SET GLOBAL ${name} = ?`, [Number(usual?.[name])]);
}

async function copyTable(
  pool: Pool,
  table: string,
  id: string,
  columns: readonly string[],
  step: number,
): Promise<number> {
  const values = columns.map((column) => (column === id ? `${id} + ${step}` : column));
  const [{ affectedRows }] = await pool.query<ResultSetHeader>(
    `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM ${table} WHERE ${id} < ${ID_STEP}`,
  );
  return affectedRows;
}

async function columnsOf(pool: Pool, table: string): Promise<string[]> {
  const [rows] = await pool.query<RowDataPacket[]>(`SHOW COLUMNS FROM ${table}`);
  return rows.map((row) => String(row["Field"]));
}
