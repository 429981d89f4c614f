/** A caller's change or removal of one job, guarded by what was read. */
import { jobKeyOf } from "../../core/spec/job-key.ts";
import { rowValues } from "../column-list.ts";
import { CHANGED_BY_CALLER, type JobRow, jobOfRow, readersOf, SELECT_JOB } from "../job-row.ts";
import type { JobChange, JobKey } from "../job-store.ts";
import { digestBytes, keyBytes } from "../read-keys.ts";
import type { Session } from "./connection-pool.ts";
import { checkEpoch, FENCE } from "./fence.ts";

const GUARD = "id = ? AND claim = ? AND revision = ? AND status = ?";
const CHANGED = readersOf(CHANGED_BY_CALLER);
const CHANGE = `UPDATE jobinfo SET ${CHANGED_BY_CALLER.map((name) => `${name} = ?`).join(", ")} WHERE ${GUARD} AND ${FENCE}`;
const KEEP_KEY = `INSERT INTO jobkey (k, job_id, expires_at, digest) SELECT ?, ?, ?, ? FROM DUAL
  WHERE ${FENCE} ON DUPLICATE KEY UPDATE expires_at = VALUES(expires_at)`;
const STANDS = `SELECT id FROM jobinfo WHERE id = ? AND claim = ? AND ${CHANGED_BY_CALLER.map((name) => `${name} <=> ?`).join(" AND ")}`;

export async function changeJob(
  session: Session,
  uncertain: boolean,
  epoch: number,
  { jobId, guard, row }: JobChange,
): Promise<boolean> {
  const changed = rowValues(CHANGED, [row], epoch);
  const { affectedRows } = await session.execute(CHANGE, [
    ...changed,
    jobId,
    guard.claim,
    guard.revision,
    guard.status,
    epoch,
  ]);
  if (affectedRows === 1) return true;
  await checkEpoch(session, epoch);
  // Nobody else changes jobs under our epoch: if it stands as we want it, the try that was cut off did it.
  return uncertain && (await session.read(STANDS, [jobId, guard.claim, ...changed])).length === 1;
}

export async function keepKey(session: Session, epoch: number, key: JobKey): Promise<void> {
  const values = [keyBytes(key.key), key.jobId, key.expiresAt, digestBytes(key), epoch];
  const { affectedRows } = await session.execute(KEEP_KEY, values);
  if (affectedRows === 0) await checkEpoch(session, epoch);
}

export async function deleteJob(
  session: Session,
  uncertain: boolean,
  epoch: number,
  jobId: number,
  guard: JobChange["guard"],
): Promise<boolean> {
  const [row] = await session.read<JobRow>(`SELECT ${SELECT_JOB} FROM jobinfo WHERE id = ?`, [jobId]);
  const key = row === undefined ? null : jobOfRow(row).spec.idempotencyKey;
  const { affectedRows } = await session.execute(
    `DELETE jobinfo, jobkey FROM jobinfo LEFT JOIN jobkey ON jobkey.k = ? AND jobkey.job_id = jobinfo.id
    WHERE ${GUARD} AND ${FENCE}`,
    [key === null ? null : keyBytes(jobKeyOf(key)), jobId, guard.claim, guard.revision, guard.status, epoch],
  );
  if (affectedRows > 0) return true;
  await checkEpoch(session, epoch);
  return uncertain && row === undefined;
}

/** Frees keys, where they still name that job. */
export async function freeKeys(
  session: Session,
  epoch: number,
  keys: readonly { readonly key: string; readonly jobId: number }[],
): Promise<void> {
  for (const { key, jobId } of keys) {
    const { affectedRows } = await session.execute(
      `DELETE FROM jobkey WHERE k = ? AND job_id = ? AND ${FENCE}`,
      [keyBytes(key), jobId, epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
  }
}
