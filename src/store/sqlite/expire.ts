/** Retention's deletes, a bounded number of rows in each transaction. */
import { farEnd } from "../../core/job.ts";
import type { StoredKey } from "../expiry.ts";
import { marks } from "../in-list.ts";
import type { ClaimRef, JobStore } from "../job-store.ts";
import type { Database } from "./database.ts";
import { deleteLog } from "./log-rows.ts";

export function expireJobs(
  database: Database,
  epoch: number,
  expired: Parameters<JobStore["expireJobs"]>[1],
): number {
  const { ids, statuses, endedBy } = expired;
  const sql = `DELETE FROM jobinfo WHERE id = ? AND status IN (${marks(statuses.length)}) AND at BETWEEN ? AND ?`;
  return database.write(epoch, () =>
    sum(ids, (id) => database.run(sql, [id, ...statuses, farEnd(0), farEnd(endedBy)])),
  );
}

/** Those of the claims' rows that ended by then, and what was said under the claims. */
export function deleteResults(
  database: Database,
  epoch: number,
  claims: readonly ClaimRef[],
  endedBy: number,
): number {
  const sql = "DELETE FROM jobresult WHERE job_id = ? AND claim = ? AND end_time <= ?";
  return database.write(epoch, () => {
    deleteLog(database, claims);
    return sum(claims, ({ jobId, claim }) => database.run(sql, [jobId, claim, endedBy]));
  });
}

export function deleteKeys(database: Database, epoch: number, keys: readonly StoredKey[]): number {
  const sql = "DELETE FROM jobkey WHERE k = ? AND job_id = ?";
  return database.write(epoch, () =>
    sum(keys, ({ k, job_id }) => database.run(sql, [Buffer.from(k), job_id])),
  );
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
