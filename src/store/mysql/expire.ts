/**
 * Retention's deletes. Each is one autocommit statement of few rows by primary key, in its order, so that
 * it locks nothing but those rows and cannot deadlock with claims, projections and results, which go the
 * same way. `DELETE … FROM` with a table list, as only that form takes an index hint: without one a small
 * table is scanned, and every row of it locked.
 */
import { farEnd } from "../../core/job.ts";
import { MYSQL } from "../dialect.ts";
import { pageFreeKeys, readClaimsOfGone } from "../expiry.ts";
import { chunks, marks, padded, paddedRows, rowMarks } from "../in-list.ts";
import type { ClaimRef, JobStore } from "../job-store.ts";
import { claimList } from "../read-jobs.ts";
import type { Session } from "./connection-pool.ts";
import { checkEpoch, FENCE } from "./fence.ts";
import { deleteLog } from "./log-rows.ts";

export async function expireJobs(
  session: Session,
  epoch: number,
  expired: Parameters<JobStore["expireJobs"]>[1],
): Promise<number> {
  let removed = 0;
  for (const part of chunks(expired.ids.toSorted((a, b) => a - b))) {
    const ids = padded(part);
    const { affectedRows } = await session.execute(
      `DELETE jobinfo FROM jobinfo FORCE INDEX (PRIMARY) WHERE id IN (${marks(ids.length)})
      AND status IN (${marks(expired.statuses.length)}) AND at >= ? AND at <= ? AND ${FENCE}`,
      [...ids, ...expired.statuses, farEnd(0), farEnd(expired.endedBy), epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
    removed += affectedRows;
  }
  return removed;
}

export async function expireResultsOfGone(
  session: Session,
  epoch: number,
  jobIds: readonly number[],
  limit: number,
): Promise<number> {
  if (jobIds.length === 0) return 0;
  const claims = await readClaimsOfGone((sql, values) => session.read(sql, values), jobIds, limit);
  await deleteResults(session, epoch, claims, Number.MAX_SAFE_INTEGER);
  return claims.length;
}

/** Those of the claims' rows that ended by then, and what was said under the claims. */
export async function deleteResults(
  session: Session,
  epoch: number,
  claims: readonly ClaimRef[],
  endedBy: number,
): Promise<number> {
  let removed = 0;
  for (const part of chunks(claims.toSorted((a, b) => a.jobId - b.jobId || a.claim - b.claim))) {
    await deleteLog(session, epoch, part);
    const list = claimList(MYSQL, part);
    const { affectedRows } = await session.execute(
      `DELETE jobresult FROM jobresult FORCE INDEX (PRIMARY) WHERE ${list.sql} AND end_time <= ? AND ${FENCE}`,
      [...list.values, endedBy, epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
    removed += affectedRows;
  }
  return removed;
}

export async function expireKeys(
  session: Session,
  epoch: number,
  page: Parameters<JobStore["expireKeys"]>[1],
): Promise<{ removed: number; next: string | null }> {
  const { free, next } = await pageFreeKeys((sql, values) => session.read(sql, values), page);
  let removed = 0;
  for (const part of chunks(free)) {
    const keys = padded(part.map(({ k }) => Buffer.from(k)));
    const pairs = paddedRows(
      part.flatMap(({ k, job_id }) => [Buffer.from(k), job_id]),
      2,
    );
    // The job is compared as well: the key may have been freed and taken anew since it was read.
    const { affectedRows } = await session.execute(
      `DELETE jobkey FROM jobkey FORCE INDEX (PRIMARY) WHERE k IN (${marks(keys.length)})
      AND (k, job_id) IN (${rowMarks(2, pairs.length / 2)}) AND ${FENCE}`,
      [...keys, ...pairs, epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
    removed += affectedRows;
  }
  return { removed, next };
}
