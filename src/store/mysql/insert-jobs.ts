/**
 * Adding jobs: all rows of a call in one statement, fenced in its first row; with keys, in one transaction
 * with the keys before the jobs, so that a taken key is found before the epoch is locked.
 */
import { ElasticJobError } from "../../core/errors.ts";
import type { JobRecord } from "../../core/job.ts";
import { type ReadColumn, rowValues } from "../column-list.ts";
import type { SqlValue } from "../dialect.ts";
import { chunks, marks, padded } from "../in-list.ts";
import { JOB_COLUMNS, type JobColumn, readersOf } from "../job-row.ts";
import type { JobKey } from "../job-store.ts";
import { NEW_JOB, type NewJobKind, newJobKind, openColumns } from "../new-job.ts";
import { digestBytes, keyBytes } from "../read-keys.ts";
import { checkJobRows, checkKeys } from "./check-rows.ts";
import { BOUND, type Session, UNBOUND } from "./connection-pool.ts";
import { connectionLost, failureOf } from "./errors.ts";
import { insertFenced } from "./fence.ts";
import { MultiRowInsert } from "./multi-row-insert.ts";

const JOBINFO = { table: "jobinfo", columns: JOB_COLUMNS, fenced: true } as const;
/** A statement, and what it binds of each row. */
interface JobInsert {
  readonly statement: MultiRowInsert;
  readonly columns: readonly JobColumn[];
  readonly readers: readonly ReadColumn<JobRecord>[];
}
/** As many as go together when callers add one job each, some hundred at a time: as text they would cost a third more. */
const USUAL_ROWS = 128;
function insertOf(
  columns: readonly JobColumn[],
  fixed: Partial<Record<JobColumn, string>>,
  allPreparedTo = 0,
): JobInsert {
  return {
    statement: new MultiRowInsert({ ...JOBINFO, fixed, allPreparedTo }),
    columns,
    readers: readersOf(columns),
  };
}
const INSERT_ANY = insertOf(JOB_COLUMNS, {});
const insertNew = (kind: NewJobKind) => insertOf(openColumns(kind), NEW_JOB[kind], USUAL_ROWS);
const INSERT_NEW: Readonly<Record<NewJobKind, JobInsert>> = {
  waiting: insertNew("waiting"),
  plainWaiting: insertNew("plainWaiting"),
  claimed: insertNew("claimed"),
  plainClaimed: insertNew("plainClaimed"),
};
const INSERT_KEYS = new MultiRowInsert({
  table: "jobkey",
  columns: ["k", "job_id", "expires_at", "digest"],
  fenced: false,
});
/** What a row, of a job without its payload or of a key, takes of a statement's text. */
const ROW_BYTES = 1_000;

export async function insertJobs(
  session: Session,
  epoch: number,
  jobs: readonly JobRecord[],
  keys: readonly JobKey[],
  largestPacket: number,
): Promise<void> {
  if (jobs.length === 0) {
    if (keys.length > 0) throw new ElasticJobError("internal", "keys without jobs cannot be fenced");
    return;
  }
  refuseTooLarge(jobs, keys, largestPacket);
  const rows = rowsOf(jobs, epoch);
  if (keys.length > 0) {
    checkKeys(keys);
    checkJobRows(rows.columns, rows.values);
  }
  try {
    await insertFenced(epoch, async () => {
      if (keys.length === 0) await rows.insert.run(session, rows.values);
      else await insertWithKeys(session, rows, keys);
    });
  } catch (error) {
    if (failureOf(error) !== "duplicate") throw error;
    // It stopped in its transaction; what follows must not read, or wait, inside it.
    if (keys.length > 0 && !(await session.rollback())) throw connectionLost("a rollback", error);
    await explainDuplicate(session, epoch, jobs, keys, error);
  }
}

interface Rows {
  readonly count: number;
  readonly insert: MultiRowInsert;
  readonly columns: readonly JobColumn[];
  readonly values: readonly SqlValue[];
}

function rowsOf(jobs: readonly JobRecord[], epoch: number): Rows {
  const kind = newJobKind(jobs);
  const { statement, columns, readers } = kind === null ? INSERT_ANY : INSERT_NEW[kind];
  return { count: jobs.length, insert: statement, columns, values: rowValues(readers, jobs, epoch) };
}

/**
 * All goes in one packet of text: whoever is frozen in mid-transaction would hold the mastership's row until the server
 * gives it up. One that fails inside, at a taken key or a stale epoch, stays open until the rollback that comes from
 * here: so the server gives up this connection after a second, for as long as the packet goes.
 */
async function insertWithKeys(session: Session, jobs: Rows, keys: readonly JobKey[]): Promise<void> {
  const keyValues: SqlValue[] = [];
  for (const key of keys) keyValues.push(keyBytes(key.key), key.jobId, key.expiresAt, digestBytes(key));
  const text = `${BOUND}; BEGIN; ${INSERT_KEYS.text(keys.length)}; ${jobs.insert.text(jobs.count)}; COMMIT; ${UNBOUND}`;
  await session.query(text, [...keyValues, ...jobs.values]);
}

/** Returns when the rows are there from an earlier try of this very call; else throws what is in the way. */
async function explainDuplicate(
  session: Session,
  epoch: number,
  jobs: readonly JobRecord[],
  keys: readonly JobKey[],
  cause: unknown,
): Promise<void> {
  const there = await readIdentities(session, jobs);
  const isOwn = (job: JobRecord) => {
    const row = there.get(job.id);
    return row !== undefined && row.epoch === epoch && row.create_time === job.createTime;
  };
  // All were committed at once: where one row is ours, all were, and some may be deleted by now.
  if (there.size > 0 && jobs.every((job) => !there.has(job.id) || isOwn(job))) return;
  if (there.size > 0) {
    throw new ElasticJobError("internal", "a new job's id is taken by another job", { cause });
  }
  const taken = await readTakenKeys(session, keys);
  throw new ElasticJobError("key_taken", `taken: ${taken.join(", ") || "a key, just now"}`, { cause });
}

async function readIdentities(
  session: Session,
  jobs: readonly JobRecord[],
): Promise<Map<number, { readonly epoch: number; readonly create_time: number }>> {
  const there = new Map<number, { epoch: number; create_time: number }>();
  for (const part of chunks(jobs)) {
    const ids = padded(part.map((job) => job.id));
    const rows = await session.read<{ id: number; epoch: number; create_time: number }>(
      `SELECT id, epoch, create_time FROM jobinfo WHERE id IN (${marks(ids.length)})`,
      ids,
    );
    for (const row of rows) there.set(row.id, row);
  }
  return there;
}

async function readTakenKeys(session: Session, keys: readonly JobKey[]): Promise<string[]> {
  const taken: string[] = [];
  for (const part of chunks(keys)) {
    const values = padded(part.map((key) => keyBytes(key.key)));
    const rows = await session.read<{ k: Buffer }>(
      `SELECT k FROM jobkey WHERE k IN (${marks(values.length)})`,
      values,
    );
    for (const row of rows) taken.push(row.k.toString());
  }
  return taken;
}

/** The server would close the connection in the middle of the packet, which looks like a cut. */
function refuseTooLarge(jobs: readonly JobRecord[], keys: readonly JobKey[], largestPacket: number): void {
  const ofKeys = keys.reduce((sum, { digest }) => sum + ROW_BYTES + 2 * (digest?.byteLength ?? 0), 0);
  let units = ofKeys;
  for (const { spec } of jobs) units += (spec.payload?.length ?? 0) + ROW_BYTES;
  // A unit takes at most 3 bytes, and each of them 2 when it is escaped in a text.
  if (units * 4 < largestPacket) return;
  let bytes = ofKeys;
  for (const { spec } of jobs) bytes += 2 * Buffer.byteLength(spec.payload ?? "") + ROW_BYTES;
  if (bytes < largestPacket) return;
  throw new ElasticJobError(
    "invalid_argument",
    `${jobs.length} jobs of ${bytes} bytes are more than the server's max_allowed_packet of ${largestPacket}`,
  );
}
