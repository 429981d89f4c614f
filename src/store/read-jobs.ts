/** Reads of jobs and results by key, the same on both databases. */
import { ElasticJobError } from "../core/errors.ts";
import type { JobClass, JobRecord, ResultRecord } from "../core/job.ts";
import type { Dialect, Read, SqlValue } from "./dialect.ts";
import { chunks, marks, padded, paddedRows, rowMarks } from "./in-list.ts";
import { type JobRow, jobOfRow, SELECT_JOB, SELECT_JOB_WITHOUT_PAYLOAD } from "./job-row.ts";
import type {
  ClaimRef,
  ClusterRecord,
  Cursor,
  HandlerRecord,
  JobPage,
  JobSetRecord,
  JobStore,
  LoadedJob,
  NodeRecord,
  StoredMastership,
  ZoneVersions,
} from "./job-store.ts";
import { type ResultRow, resultOfRow, SELECT_RESULT } from "./result-row.ts";

const BEFORE_ALL: Cursor = { at: Number.MIN_SAFE_INTEGER, id: 0 };
/** WAITING and RUNNING: what a master loads. */
const UNFINISHED: readonly number[] = [1, 3];

export async function readMastership(read: Read): Promise<StoredMastership> {
  const [row] = await read<StoredMastership>("SELECT epoch, incarnation FROM jobcluster WHERE id = 1", []);
  return { epoch: row?.epoch ?? 0, incarnation: row?.incarnation ?? "" };
}

export async function readZoneVersions(read: Read): Promise<ZoneVersions> {
  const [row] = await read<{ zone_data: string; zone_computed: string }>(
    "SELECT zone_data, zone_computed FROM jobcluster WHERE id = 1",
    [],
  );
  return { newest: row?.zone_data ?? "", computed: row?.zone_computed ?? "" };
}

export async function readClasses(read: Read): Promise<JobClass[]> {
  const rows = await read<{ id: number; handler: string; labels: string }>(
    "SELECT id, handler, labels FROM jobclass ORDER BY id",
    [],
  );
  return rows.map((row) => ({
    id: row.id,
    handler: row.handler,
    labels: JSON.parse(row.labels) as JobClass["labels"],
  }));
}

export async function readHandlers(read: Read): Promise<HandlerRecord[]> {
  const rows = await read<{ name: string; last_offered: number }>(
    "SELECT name, last_offered FROM jobhandler ORDER BY name",
    [],
  );
  return rows.map((row) => ({ name: row.name, lastOffered: row.last_offered }));
}

export async function readJobSet(read: Read, name: string): Promise<JobSetRecord | null> {
  const [row] = await read<{ generation: number | null; jobs: string }>(
    "SELECT generation, jobs FROM jobset WHERE name = ?",
    [name],
  );
  if (row === undefined) return null;
  return { name, generation: row.generation, jobs: JSON.parse(row.jobs) as JobSetRecord["jobs"] };
}

export async function readNodes(read: Read): Promise<NodeRecord[]> {
  const rows = await read<{
    number: number;
    incarnation: string;
    node_id: string;
    unheard_since: number | null;
  }>("SELECT number, incarnation, node_id, unheard_since FROM jobnode ORDER BY number", []);
  return rows.map((row) => ({
    number: row.number,
    incarnation: row.incarnation,
    nodeId: row.node_id,
    unheardSince: row.unheard_since,
  }));
}

export async function findNode(read: Read, incarnation: string): Promise<number | null> {
  const [row] = await read<{ number: number }>("SELECT number FROM jobnode WHERE incarnation = ?", [
    incarnation,
  ]);
  return row?.number ?? null;
}

export async function readCluster(read: Read): Promise<ClusterRecord> {
  const [row] = await read<{ identity: string; address: string; lock_key: string }>(
    "SELECT identity, address, lock_key FROM jobcluster WHERE id = 1",
    [],
  );
  return { identity: row?.identity ?? "", address: row?.address ?? "", lockKey: row?.lock_key ?? "" };
}

export async function readSecret(read: Read): Promise<string> {
  const [row] = await read<{ secret: string }>("SELECT secret FROM jobsecret WHERE id = 1", []);
  // By an empty one, everybody could prove themselves.
  if (row === undefined || row.secret.length < LEAST_SECRET) {
    throw new ElasticJobError(
      "internal",
      "the table jobsecret has lost its row: insert (1, LOWER(HEX(RANDOM_BYTES(32)))) for (id, secret)",
    );
  }
  return row.secret;
}
const LEAST_SECRET = 32;

export async function readJobs(read: Read, ids: readonly number[]): Promise<Map<number, JobRecord>> {
  const jobs = new Map<number, JobRecord>();
  for (const part of chunks(ids)) {
    const values = padded(part);
    const rows = await read<JobRow>(
      `SELECT ${SELECT_JOB} FROM jobinfo WHERE id IN (${marks(values.length)})`,
      values,
    );
    for (const row of rows) jobs.set(row.id, jobOfRow(row));
  }
  return jobs;
}

/** Rows of the class, whatever their status, so that the cursor moves on also past those left out. */
export async function pageJobs(
  read: Read,
  dialect: Dialect,
  query: Parameters<JobStore["pageJobs"]>[0],
): Promise<JobPage> {
  const limit = wholeNumber(query.limit);
  const range = dialect.hotRange(query.after ?? BEFORE_ALL, query.through);
  // It has no ORDER BY class: MariaDB does not see that a prepared `class = ?` is one value, and would sort.
  const rows = await read<JobRow & { loaded: number }>(
    `SELECT ${SELECT_JOB_WITHOUT_PAYLOAD},
      CASE WHEN OCTET_LENGTH(payload) <= ? THEN payload END AS payload,
      CASE WHEN payload IS NULL OR OCTET_LENGTH(payload) <= ? THEN 1 ELSE 0 END AS loaded
    FROM jobinfo ${dialect.hotIndex}
    WHERE class = ? AND ${range.sql} ORDER BY at, id LIMIT ${limit}`,
    [query.maxPayloadBytes, query.maxPayloadBytes, query.classId, ...range.values],
  );
  const jobs: LoadedJob[] = [];
  for (const row of rows) {
    if (UNFINISHED.includes(row.status))
      jobs.push({ record: jobOfRow(row), payloadLoaded: row.loaded === 1 });
  }
  const last = rows[rows.length - 1];
  return { jobs, next: last !== undefined && rows.length === limit ? { at: last.at, id: last.id } : null };
}

export async function readFinalRows(
  read: Read,
  dialect: Dialect,
  claims: readonly ClaimRef[],
): Promise<Map<number, ResultRecord>> {
  const results = new Map<number, ResultRecord>();
  for (const part of chunks(claims)) {
    const { sql, values } = claimList(dialect, part);
    const rows = await read<ResultRow>(
      `SELECT ${SELECT_RESULT} FROM jobresult WHERE ${sql} AND late = 0`,
      values,
    );
    for (const row of rows) results.set(row.job_id, resultOfRow(row));
  }
  return results;
}

/** `(job_id, claim) IN (…)`, by primary key. */
export function claimList(
  dialect: Dialect,
  claims: readonly ClaimRef[],
): { sql: string; values: SqlValue[] } {
  const flat: SqlValue[] = [];
  for (const { jobId, claim } of claims) flat.push(jobId, claim);
  const values = paddedRows(flat, 2);
  return { sql: `(job_id, claim) IN (${dialect.rows}${rowMarks(2, values.length / 2)})`, values };
}

/** Checks a LIMIT, which is written into the text: prepared statements refuse a bound one. */
export function wholeNumber(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a whole number`);
  return value;
}
