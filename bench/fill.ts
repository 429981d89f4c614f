/** Makes our tables large without running a job: copies what is there, under ids that no master gives out. */
import type { Pool, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { JOB_COLUMNS } from "../src/store/job-row.ts";

/** Far above what is given out in a benchmark, and below 2^53 for every copy. */
const ID_STEP = 1e13;

/** Adds `copies` copies of every job and result. Returns how many jobs were added. */
export async function copyRows(pool: Pool, copies: number): Promise<number> {
  const resultColumns = await columnsOf(pool, "jobresult");
  let added = 0;
  for (let copy = 1; copy <= copies; copy++) {
    const step = copy * ID_STEP;
    added += await copyTable(pool, "jobinfo", "id", JOB_COLUMNS, step);
    await copyTable(pool, "jobresult", "job_id", resultColumns, step);
  }
  return added;
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
