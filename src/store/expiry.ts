/** What retention reads, the same on both databases. Each read is bounded, and by an index that is there anyway. */
import { farEnd, STORED_STATUS } from "../core/job.ts";
import type { ResultAge } from "../core/state/retention.ts";
import type { Dialect, Read } from "./dialect.ts";
import { marks, padded } from "./in-list.ts";
import type { ClaimRef, EndedJobPage, JobStore, ResultAgePage } from "./job-store.ts";
import { wholeNumber } from "./read-jobs.ts";
import { keyBytes, needsJob } from "./read-keys.ts";

export async function pageEnded(
  read: Read,
  dialect: Dialect,
  query: Parameters<JobStore["pageEnded"]>[0],
): Promise<EndedJobPage> {
  const limit = wholeNumber(query.limit);
  const range = dialect.hotRange(query.after ?? { at: farEnd(0), id: 0 }, farEnd(query.endedBy));
  const jobs = await read<EndedJobPage["jobs"][number]>(
    `SELECT id, at, status FROM jobinfo ${dialect.hotIndex}
    WHERE class = ? AND ${range.sql} ORDER BY at, id LIMIT ${limit}`,
    [query.classId, ...range.values],
  );
  const last = jobs.at(-1);
  return { jobs, next: last !== undefined && jobs.length === limit ? { at: last.at, id: last.id } : null };
}

interface AgeRow {
  readonly job_id: number;
  readonly claim: number;
  readonly outcome: ResultAge["outcome"];
  readonly end_time: number;
  readonly newest_claim: number | null;
  readonly status: number | null;
}

/** One statement, so that a row is never seen without the job that it belongs to. */
export async function pageResultAges(
  read: Read,
  dialect: Dialect,
  after: ClaimRef | null,
  rows: number,
): Promise<ResultAgePage> {
  const limit = wholeNumber(rows);
  const range = dialect.resultsTo(after?.jobId ?? 0, (after?.claim ?? 0) + 1);
  const found = await read<AgeRow>(
    `SELECT r.job_id, r.claim, r.outcome, r.end_time, jobinfo.claim AS newest_claim, jobinfo.status
    FROM (SELECT job_id, claim, late, outcome, end_time FROM jobresult ${dialect.resultKey}
      WHERE ${range.sql} ORDER BY job_id, claim, late LIMIT ${limit}) AS r
    LEFT JOIN jobinfo ON jobinfo.id = r.job_id ORDER BY r.job_id, r.claim, r.late`,
    range.values,
  );
  const ages = found.map((row) => ({
    jobId: row.job_id,
    claim: row.claim,
    outcome: row.outcome,
    endTime: row.end_time,
    newestEnded:
      row.newest_claim !== null && row.status === STORED_STATUS.RUNNING
        ? row.newest_claim - 1
        : row.newest_claim,
  }));
  const last = ages.at(-1);
  if (last === undefined || ages.length < limit) return { rows: ages, next: null };
  // The late row of the last claim may lie beyond: that claim is for the next page.
  const whole = ages.filter((row) => row.jobId !== last.jobId || row.claim !== last.claim);
  const end = whole.at(-1);
  if (end === undefined) return { rows: ages, next: { jobId: last.jobId, claim: last.claim } };
  return { rows: whole, next: { jobId: end.jobId, claim: end.claim } };
}

/** Claims of those of the jobs that are gone, which have rows. */
export async function readClaimsOfGone(
  read: Read,
  jobIds: readonly number[],
  limit: number,
): Promise<ClaimRef[]> {
  const values = padded(jobIds);
  const rows = await read<{ job_id: number; claim: number }>(
    `SELECT jobresult.job_id, jobresult.claim FROM jobresult LEFT JOIN jobinfo ON jobinfo.id = jobresult.job_id
    WHERE jobresult.job_id IN (${marks(values.length)}) AND jobinfo.id IS NULL
    ORDER BY jobresult.job_id, jobresult.claim LIMIT ${wholeNumber(limit)}`,
    values,
  );
  return rows.map((row) => ({ jobId: row.job_id, claim: row.claim }));
}

export interface StoredKey {
  readonly k: Uint8Array;
  readonly job_id: number;
}

/**
 * The keys after `after` that hold nothing any more: expired by then, or of a job that is gone. The key of
 * a call lives until its expiry, whatever became of the job that it names.
 */
export async function pageFreeKeys(
  read: Read,
  page: Parameters<JobStore["expireKeys"]>[1],
): Promise<{ readonly free: readonly StoredKey[]; readonly next: string | null }> {
  const limit = wholeNumber(page.limit);
  const rows = await read<StoredKey & { readonly expires_at: number; readonly job: number | null }>(
    `SELECT keys_.k, keys_.job_id, keys_.expires_at, jobinfo.id AS job
    FROM (SELECT k, job_id, expires_at FROM jobkey WHERE k > ? ORDER BY k LIMIT ${limit}) AS keys_
    LEFT JOIN jobinfo ON jobinfo.id = keys_.job_id ORDER BY keys_.k`,
    [keyBytes(page.after ?? "")],
  );
  const free = rows.filter(
    (row) =>
      row.expires_at <= page.expiredBy ||
      (row.job === null && needsJob(Buffer.from(row.k).toString(), row.expires_at)),
  );
  const last = rows.at(-1);
  const next = last !== undefined && rows.length === limit ? Buffer.from(last.k).toString() : null;
  return { free, next };
}
