/** Writes of `jobinfo` and `jobkey`. Each is one transaction, guarded row by row. */
import { ElasticJobError } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import { jobKeyOf } from "../../core/spec/job-key.ts";
import { rowValues } from "../column-list.ts";
import { marks } from "../in-list.ts";
import {
  CHANGED_BY_CALLER,
  JOB_COLUMNS,
  type JobColumn,
  type JobRow,
  jobOfRow,
  PROJECTED,
  readersOf,
  SELECT_JOB,
} from "../job-row.ts";
import type { ClaimWrite, JobChange, JobKey, Projection } from "../job-store.ts";
import { digestBytes, keyBytes } from "../read-keys.ts";
import type { Database } from "./database.ts";
import { isDuplicate } from "./errors.ts";

const JOB_VALUES = readersOf(JOB_COLUMNS);
const PROJECTED_VALUES = readersOf(PROJECTED);
const CHANGED_VALUES = readersOf(CHANGED_BY_CALLER);
const INSERT_JOB = `INSERT INTO jobinfo (${JOB_COLUMNS.join(", ")}) VALUES (${marks(JOB_COLUMNS.length)})`;
const INSERT_KEY =
  "INSERT INTO jobkey (k, job_id, expires_at, digest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
const KEEP_KEY = `INSERT INTO jobkey (k, job_id, expires_at, digest) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at`;
const CLAIM = `UPDATE jobinfo SET status = ${STORED_STATUS.RUNNING}, claim = claim + 1, attempt = attempt + 1,
  node = ?, update_time = ? WHERE id = ? AND claim = ? AND revision = ? AND status IN (?, ?)`;
const PROJECT = `UPDATE jobinfo SET ${equal(PROJECTED).join(", ")}
  WHERE id = ? AND claim = ? AND revision = ? AND status = ${STORED_STATUS.RUNNING}`;
const STANDS_PROJECTED = `SELECT id FROM jobinfo
  WHERE ${equal(PROJECTED).join(" AND ")} AND id = ? AND claim = ? AND revision = ?`;
const GUARD = "id = ? AND claim = ? AND revision = ? AND status = ?";
const CHANGE = `UPDATE jobinfo SET ${equal(CHANGED_BY_CALLER).join(", ")}
  WHERE ${GUARD}`;

export function insertJobs(
  database: Database,
  epoch: number,
  jobs: readonly JobRecord[],
  keys: readonly JobKey[],
): void {
  if (jobs.length === 0) {
    if (keys.length > 0) throw new ElasticJobError("internal", "keys without jobs cannot be fenced");
    return;
  }
  database.write(epoch, () => {
    if (isThereAlready(database, epoch, jobs)) return;
    for (const key of keys) {
      if (database.run(INSERT_KEY, [keyBytes(key.key), key.jobId, key.expiresAt, digestBytes(key)]) === 0) {
        throw new ElasticJobError("key_taken", `taken: ${key.key}`);
      }
    }
    for (const job of jobs) {
      try {
        database.run(INSERT_JOB, rowValues(JOB_VALUES, [job], epoch));
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        throw new ElasticJobError("internal", `the new job's id ${job.id} is taken by another job`, {
          cause: error,
        });
      }
    }
  });
}

/** Whether an earlier call has added the same rows: where one is there, all were. */
function isThereAlready(database: Database, epoch: number, jobs: readonly JobRecord[]): boolean {
  return jobs.some(
    (job) =>
      database.read("SELECT id FROM jobinfo WHERE id = ? AND epoch = ? AND create_time = ?", [
        job.id,
        epoch,
        job.createTime,
      ]).length === 1,
  );
}

export function claimJobs(
  database: Database,
  epoch: number,
  node: number,
  claims: readonly ClaimWrite[],
  now: number,
): number {
  return database.write(epoch, () => {
    let hits = 0;
    for (const { jobId, claim, revision } of claims) {
      // A claim for nobody, which skips or cancels an occurrence, also takes a job that is paused.
      const { WAITING, PAUSED } = STORED_STATUS;
      const alsoFrom = node === 0 ? PAUSED : WAITING;
      hits += database.run(CLAIM, [node, now, jobId, claim - 1, revision, WAITING, alsoFrom]);
    }
    return hits;
  });
}

export function projectJobs(
  database: Database,
  projections: readonly Projection[],
  epoch: number | undefined,
): boolean[] {
  return database.write(epoch ?? null, () =>
    projections.map((row) => {
      const values = [...rowValues(PROJECTED_VALUES, [row], 0), row.jobId, row.claim, row.revision];
      return database.run(PROJECT, values) === 1 || database.read(STANDS_PROJECTED, values).length === 1;
    }),
  );
}

export function changeJob(database: Database, epoch: number, { jobId, guard, row }: JobChange): boolean {
  const guarded = [jobId, guard.claim, guard.revision, guard.status];
  const values = [...rowValues(CHANGED_VALUES, [row], epoch), ...guarded];
  return database.write(epoch, () => database.run(CHANGE, values) === 1);
}

export function keepKey(database: Database, epoch: number, key: JobKey): void {
  database.write(epoch, () => {
    const values = [keyBytes(key.key), key.jobId, key.expiresAt, digestBytes(key)];
    database.run(KEEP_KEY, values);
  });
}

export function deleteJob(
  database: Database,
  epoch: number,
  jobId: number,
  guard: JobChange["guard"],
): boolean {
  return database.write(epoch, () => {
    const [row] = database.read<JobRow>(`SELECT ${SELECT_JOB} FROM jobinfo WHERE ${GUARD}`, [
      jobId,
      guard.claim,
      guard.revision,
      guard.status,
    ]);
    if (row === undefined) return false;
    database.run("DELETE FROM jobinfo WHERE id = ?", [jobId]);
    const key = jobOfRow(row).spec.idempotencyKey;
    if (key !== null) {
      database.run("DELETE FROM jobkey WHERE k = ? AND job_id = ?", [keyBytes(jobKeyOf(key)), jobId]);
    }
    return true;
  });
}

/** Frees keys, where they still name that job. */
export function freeKeys(
  database: Database,
  epoch: number,
  keys: readonly { readonly key: string; readonly jobId: number }[],
): void {
  database.write(epoch, () => {
    for (const { key, jobId } of keys) {
      database.run("DELETE FROM jobkey WHERE k = ? AND job_id = ?", [keyBytes(key), jobId]);
    }
  });
}

function equal(columns: readonly JobColumn[]): string[] {
  return columns.map((name) => `${name} = ?`);
}
