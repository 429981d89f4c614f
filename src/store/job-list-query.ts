/**
 * Lists of jobs for people: by primary key downwards, in pages. A call scans a bounded number of rows
 * and reads a bounded number of bytes, so a page can be short, even empty, and still have a next one.
 * No filter has an index: each would cost on every job, and the statements are held to the primary key,
 * as an optimizer that goes by class or by status instead reads all there are.
 */
import { type JobRecord, STORED_STATUS } from "../core/job.ts";
import type { Condition, Dialect, Read, SqlValue } from "./dialect.ts";
import { marks, padded } from "./in-list.ts";
import { type JobRow, jobOfRow, SELECT_JOB } from "./job-row.ts";
import type { JobFilter, ListPage } from "./job-store.ts";
import { wholeNumber } from "./read-jobs.ts";

/** Rows that a list call looks at. */
export const SCAN_ROWS = 2_000;
/** Rows that a count looks at. */
const COUNT_ROWS = 20_000;
/** Rows that a page has at most. */
export const PAGE_ROWS = 1_000;
/** Bytes of payloads, or outputs and errors, after which a page ends. */
const PAGE_BYTES = 4 * 1024 * 1024;

export async function listJobs(
  read: Read,
  dialect: Dialect,
  filter: JobFilter,
  page: { readonly before: number | null; readonly limit: number },
): Promise<ListPage<JobRecord, number>> {
  const before = page.before ?? Number.MAX_SAFE_INTEGER;
  const limit = Math.min(wholeNumber(page.limit), PAGE_ROWS);
  if (limit === 0) return { items: [], next: page.before };
  const condition = await jobCondition(read, dialect, filter);
  if (condition === "nothing") return { items: [], next: null };
  const end = condition === null ? null : await scanEnd(read, dialect, before, SCAN_ROWS);
  const found = await read<{ id: number; bytes: number }>(
    `SELECT id, COALESCE(OCTET_LENGTH(payload), 0) AS bytes FROM jobinfo ${dialect.jobKey}
    WHERE id < ? AND id >= ? AND ${condition?.sql ?? "1 = 1"} ORDER BY id DESC LIMIT ${limit + 1}`,
    [before, end ?? 0, ...(condition?.values ?? [])],
  );
  const ids = withinBytes(found, limit).map((row) => row.id);
  const items = await readMatching(read, ids, condition);
  const last = ids[ids.length - 1];
  if (last !== undefined && found.length > ids.length) return { items, next: last };
  // A child is added after its parent, under a higher id: nothing older can be one.
  const isPastParent = end !== null && filter.parentId !== undefined && end <= filter.parentId;
  return { items, next: isPastParent ? null : end };
}

/** The newest rows up to a bound: what lies beyond is not counted. */
export async function countJobs(
  read: Read,
  dialect: Dialect,
  filter: JobFilter,
  limit: number,
): Promise<number> {
  const condition = await jobCondition(read, dialect, filter);
  if (condition === "nothing") return 0;
  const most = Math.max(COUNT_ROWS, limit);
  const end = condition === null ? null : await scanEnd(read, dialect, Number.MAX_SAFE_INTEGER, most);
  const [row] = await read<{ n: number }>(
    `SELECT COUNT(*) AS n FROM (SELECT id FROM jobinfo ${dialect.jobKey}
    WHERE id >= ? AND ${condition?.sql ?? "1 = 1"} LIMIT ${wholeNumber(limit)}) AS found`,
    [end ?? 0, ...(condition?.values ?? [])],
  );
  return row?.n ?? 0;
}

/** The id at which a call stops looking; null: it sees all that is left. */
async function scanEnd(read: Read, dialect: Dialect, before: number, rows: number): Promise<number | null> {
  const [end] = await read<{ id: number }>(
    `SELECT id FROM jobinfo ${dialect.jobKey} WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ${rows - 1}`,
    [before],
  );
  return end?.id ?? null;
}

/** The first rows that fit into a page; one at least. */
export function withinBytes<T extends { readonly bytes: number }>(rows: readonly T[], limit: number): T[] {
  const fitting: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += row.bytes;
    if (fitting.length === limit || (bytes > PAGE_BYTES && fitting.length > 0)) break;
    fitting.push(row);
  }
  return fitting;
}

/** Checks the filter again: a job may have changed since its id was found. */
async function readMatching(
  read: Read,
  ids: readonly number[],
  condition: Condition | null,
): Promise<JobRecord[]> {
  if (ids.length === 0) return [];
  const values = padded(ids);
  const rows = await read<JobRow>(
    `SELECT ${SELECT_JOB} FROM jobinfo
    WHERE id IN (${marks(values.length)}) AND ${condition?.sql ?? "1 = 1"} ORDER BY id DESC`,
    [...values, ...(condition?.values ?? [])],
  );
  return rows.map(jobOfRow);
}

/** Null: all jobs match. */
async function jobCondition(
  read: Read,
  dialect: Dialect,
  filter: JobFilter,
): Promise<Condition | "nothing" | null> {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  const add = (sql: string, ...more: SqlValue[]) => {
    parts.push(sql);
    values.push(...more);
  };
  if (filter.status !== undefined) add("status = ?", filter.status);
  if (filter.status === STORED_STATUS.WAITING) {
    if (filter.dueBy !== undefined) add("at <= ?", filter.dueBy);
    if (filter.dueAfter !== undefined) add("at > ?", filter.dueAfter);
  }
  if (filter.parentId !== undefined) add("parent_id = ?", filter.parentId);
  if (filter.handler !== undefined) {
    const classIds = await readClassIds(read, dialect, filter.handler);
    if (classIds.length === 0) return "nothing";
    const list = padded(classIds);
    add(`class IN (${marks(list.length)})`, ...list);
  }
  if (filter.namePrefix !== undefined && filter.namePrefix !== "") {
    add(
      `SUBSTR(CAST(name AS ${dialect.bytes}), 1, ${Buffer.byteLength(filter.namePrefix)}) = CAST(? AS ${dialect.bytes})`,
      filter.namePrefix,
    );
  }
  return parts.length === 0 ? null : { sql: parts.join(" AND "), values };
}

/** Read first, not joined: there are few, and a join invites the optimizer to start from them. */
async function readClassIds(read: Read, dialect: Dialect, handler: string): Promise<number[]> {
  const rows = await read<{ id: number }>(
    `SELECT id FROM jobclass WHERE CAST(handler AS ${dialect.bytes}) = CAST(? AS ${dialect.bytes})`,
    [handler],
  );
  return rows.map((row) => row.id);
}
