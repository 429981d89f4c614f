/**
 * Reads of the audit, the same on both databases: newest first, in pages. A call looks at a bounded number of rows, so a page can be
 * short, even empty, and still have a next one. Times and jobs have an index; callers, methods and nodes are looked for among the rows.
 */
import type { AuditFilter, AuditKey, AuditRecord } from "../core/audit/audit-record.ts";
import { type AuditRow, auditOfRow, SELECT_AUDIT } from "./audit-row.ts";
import type { Condition, Dialect, Read, SqlValue } from "./dialect.ts";
import { paddedRows, rowMarks } from "./in-list.ts";
import { PAGE_ROWS, SCAN_ROWS } from "./job-list-query.ts";
import type { ListPage } from "./job-store.ts";
import { wholeNumber } from "./read-jobs.ts";

const NEWEST_FIRST = "ORDER BY at DESC, id DESC";
const ALL: Condition = { sql: "", values: [] };
const FIRST: AuditKey = { at: Number.MAX_SAFE_INTEGER, id: 0 };

export async function listAudit(
  read: Read,
  dialect: Dialect,
  filter: AuditFilter,
  page: { readonly before: AuditKey | null; readonly limit: number },
): Promise<ListPage<AuditRecord, AuditKey>> {
  const before = page.before ?? FIRST;
  const limit = Math.min(wholeNumber(page.limit), PAGE_ROWS);
  if (limit === 0) return { items: [], next: page.before };
  const { jobId } = filter;
  const index = jobId === undefined ? dialect.auditKey : dialect.auditJob;
  const ofJob: Condition = jobId === undefined ? ALL : { sql: "job_id = ?", values: [jobId] };
  const range = and(dialect.auditBefore(before), timesOf(filter));
  const end = await scanEnd(read, index, and(ofJob, range));
  const wanted = and(range, end === null ? ALL : dialect.auditFrom(end), restOf(filter));
  const changes = await select(read, index, and(ofJob, wanted), limit + 1);
  const adds = jobId === undefined ? [] : await addsOf(read, dialect, jobId, wanted);
  const found = [...changes, ...adds].sort((a, b) => b.at - a.at || b.id - a.id);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && found.length > limit ? keyOf(last) : end };
}

async function select(read: Read, index: string, where: Condition, limit: number): Promise<AuditRecord[]> {
  const rows = await read<AuditRow>(
    `SELECT ${SELECT_AUDIT} FROM jobaudit ${index} WHERE ${where.sql} ${NEWEST_FIRST} LIMIT ${limit}`,
    where.values,
  );
  return rows.map(auditOfRow);
}

/** The row at which this call stops looking; null: it sees all that is left. */
async function scanEnd(read: Read, index: string, range: Condition): Promise<AuditKey | null> {
  const [row] = await read<AuditKey>(
    `SELECT at, id FROM jobaudit ${index} WHERE ${range.sql} ${NEWEST_FIRST} LIMIT 1 OFFSET ${SCAN_ROWS - 1}`,
    range.values,
  );
  return row ?? null;
}

/**
 * Adds between whose first and last job this one is. Ids are given out in order, so they are among those that follow it: of these
 * as many are looked at as a page may have.
 */
async function addsOf(
  read: Read,
  dialect: Dialect,
  jobId: number,
  wanted: Condition,
): Promise<AuditRecord[]> {
  const keys = await read<AuditKey & { readonly first_job: number }>(
    `SELECT at, id, first_job FROM jobaudit ${dialect.auditAdded}
    WHERE last_job >= ? ORDER BY last_job LIMIT ${PAGE_ROWS}`,
    [jobId],
  );
  const holding = keys.filter(({ first_job }) => first_job <= jobId);
  if (holding.length === 0) return [];
  return select(read, dialect.auditKey, and(auditList(dialect, holding), wanted), holding.length);
}

/** `(at, id) IN (…)`, by primary key. */
export function auditList(dialect: Dialect, keys: readonly AuditKey[]): Condition {
  const flat: SqlValue[] = keys.flatMap(({ at, id }) => [at, id]);
  const values = paddedRows(flat, 2);
  return { sql: `(at, id) IN (${dialect.rows}${rowMarks(2, values.length / 2)})`, values };
}

/** The oldest rows, at or below `through`. */
export function pageOldAudit(
  read: Read,
  dialect: Dialect,
  through: AuditKey,
  limit: number,
): Promise<AuditKey[]> {
  const { sql, values } = dialect.auditUpTo(through);
  return read<AuditKey>(
    `SELECT at, id FROM jobaudit ${dialect.auditKey} WHERE ${sql} ORDER BY at, id LIMIT ${wholeNumber(limit)}`,
    values,
  );
}

/** The row that has `rows - 1` newer ones below `before`; null: there are fewer. */
export async function skipAudit(
  read: Read,
  dialect: Dialect,
  before: AuditKey | null,
  rows: number,
): Promise<AuditKey | null> {
  const { sql, values } = dialect.auditBefore(before ?? FIRST);
  const [row] = await read<AuditKey>(
    `SELECT at, id FROM jobaudit ${dialect.auditKey} WHERE ${sql} ${NEWEST_FIRST} LIMIT 1 OFFSET ${wholeNumber(rows - 1)}`,
    values,
  );
  return row ?? null;
}

function timesOf({ since, until }: AuditFilter): Condition {
  const parts: Condition[] = [];
  if (since !== undefined) parts.push({ sql: "at >= ?", values: [since] });
  if (until !== undefined) parts.push({ sql: "at <= ?", values: [until] });
  return and(...parts);
}

function restOf({ caller, method, nodeId }: AuditFilter): Condition {
  const wanted = { caller, method, node_id: nodeId };
  const parts = Object.entries(wanted).flatMap(([column, value]) =>
    value === undefined ? [] : [{ sql: `${column} = ?`, values: [value] }],
  );
  return and(...parts);
}

function and(...all: readonly Condition[]): Condition {
  const given = all.filter(({ sql }) => sql !== "");
  return { sql: given.map(({ sql }) => sql).join(" AND "), values: given.flatMap(({ values }) => values) };
}

function keyOf({ at, id }: AuditKey): AuditKey {
  return { at, id };
}
