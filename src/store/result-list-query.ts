/**
 * Lists of results for people: by (jobId, claim) downwards, the final row of a claim before a late
 * one. Bounded as lists of jobs are.
 */
import type { ResultRecord } from "../core/job.ts";
import type { Condition, Dialect, Read, SqlValue } from "./dialect.ts";
import { PAGE_ROWS, SCAN_ROWS, withinBytes } from "./job-list-query.ts";
import type { ListPage, ResultFilter, ResultKey } from "./job-store.ts";
import { claimList, wholeNumber } from "./read-jobs.ts";
import { type ResultRow, resultOfRow, SELECT_RESULT } from "./result-row.ts";

interface FoundResult {
  readonly job_id: number;
  readonly claim: number;
  readonly late: number;
  readonly bytes: number;
}

export async function listResults(
  read: Read,
  dialect: Dialect,
  filter: ResultFilter,
  page: { readonly before: ResultKey | null; readonly limit: number },
): Promise<ListPage<ResultRecord, ResultKey>> {
  const limit = Math.min(wholeNumber(page.limit), PAGE_ROWS);
  if (limit === 0) return { items: [], next: page.before };
  const conditions: Condition[] = [];
  if (filter.jobId !== undefined) conditions.push({ sql: "job_id = ?", values: [filter.jobId] });
  // This starts at the cursor's claim, not after it: one of its two rows may be left. `isBefore` does the rest.
  if (page.before !== null) conditions.push(dialect.resultsFrom(page.before.jobId, page.before.claim));
  // Without a filter on the outcome every row counts, and the limit bounds the scan.
  const end = filter.outcome === undefined ? null : await scanEnd(read, dialect, conditions);
  if (end !== null) conditions.push(dialect.resultsTo(end.job_id, end.claim));
  if (filter.outcome !== undefined) conditions.push({ sql: "outcome = ?", values: [filter.outcome] });

  // The key's order is (…, late) downwards, so the two rows of a claim come in the wrong order: up to
  // two rows before the cursor, and one more at the end, where a final row may be missing.
  const scanned = await select<FoundResult>(
    read,
    dialect,
    `job_id, claim, late, COALESCE(OCTET_LENGTH(output), 0) + COALESCE(OCTET_LENGTH(error), 0) AS bytes`,
    conditions,
    `ORDER BY job_id DESC, claim DESC, late DESC LIMIT ${limit + 4}`,
  );
  const found = scanned.filter((row) => page.before === null || isBefore(row, page.before)).sort(inPageOrder);
  const chosen = withinBytes(found, limit);
  const items = await readChosen(read, dialect, chosen);
  const last = chosen[chosen.length - 1];
  if (last !== undefined && found.length > chosen.length) return { items, next: keyOf(last) };
  return { items, next: end === null ? null : { jobId: end.job_id, claim: end.claim, late: true } };
}

/** The claim at which this call stops looking; null: it sees all that is left. */
async function scanEnd(
  read: Read,
  dialect: Dialect,
  conditions: readonly Condition[],
): Promise<{ readonly job_id: number; readonly claim: number } | null> {
  const [row] = await select<{ job_id: number; claim: number }>(
    read,
    dialect,
    "job_id, claim",
    conditions,
    `ORDER BY job_id DESC, claim DESC, late DESC LIMIT 1 OFFSET ${SCAN_ROWS - 1}`,
  );
  return row ?? null;
}

async function readChosen(
  read: Read,
  dialect: Dialect,
  chosen: readonly FoundResult[],
): Promise<ResultRecord[]> {
  if (chosen.length === 0) return [];
  const list = claimList(
    dialect,
    chosen.map((row) => ({ jobId: row.job_id, claim: row.claim })),
  );
  const wanted = new Set(chosen.map(rowName));
  const rows = await select<ResultRow>(read, dialect, SELECT_RESULT, [list], "");
  return rows
    .filter((row) => wanted.has(rowName(row)))
    .sort(inPageOrder)
    .map(resultOfRow);
}

function select<Row>(
  read: Read,
  dialect: Dialect,
  columns: string,
  conditions: readonly Condition[],
  tail: string,
): Promise<Row[]> {
  const where = conditions.map((condition) => condition.sql).join(" AND ") || "1 = 1";
  const values: SqlValue[] = conditions.flatMap((condition) => condition.values);
  return read<Row>(`SELECT ${columns} FROM jobresult ${dialect.resultKey} WHERE ${where} ${tail}`, values);
}

type RowKey = Pick<FoundResult, "job_id" | "claim" | "late">;

function inPageOrder(a: RowKey, b: RowKey): number {
  return b.job_id - a.job_id || b.claim - a.claim || a.late - b.late;
}

/** Whether the row comes after the cursor in page order, that is, below its key. */
function isBefore(row: RowKey, cursor: ResultKey): boolean {
  return inPageOrder(row, { job_id: cursor.jobId, claim: cursor.claim, late: cursor.late ? 1 : 0 }) > 0;
}

function keyOf(row: RowKey): ResultKey {
  return { jobId: row.job_id, claim: row.claim, late: row.late === 1 };
}

function rowName(row: RowKey): string {
  return `${row.job_id}/${row.claim}/${row.late}`;
}
