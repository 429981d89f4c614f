/**
 * The projection: brings a RUNNING job in line with the final row of its claim. Jobs that change in the
 * same way share one UPDATE by key, the others one UPDATE joined to a JSON table (about twice the cost).
 */
import { hasEnded, STORED_STATUS } from "../../core/job.ts";
import type { SqlValue } from "../dialect.ts";
import { chunks, isOneOf, marks, padded } from "../in-list.ts";
import type { Projection } from "../job-store.ts";
import type { Session } from "./connection-pool.ts";
import { checkEpoch, FENCE } from "./fence.ts";

/** Below this many alike, a statement of their own costs more than the join. */
const OWN_STATEMENT_ROWS = 16;

const CHANGES = "status = ?, at = ?, attempt = ?, failures = ?, lost = ?, ended_at = ?, update_time = ?";
const GUARD = `WHERE status = ${STORED_STATUS.RUNNING} AND claim = ? AND revision = ?`;
/** A job that has ended stays at its last occurrence: so jobs of many occurrences end alike. */
const UPDATE_ENDED = `UPDATE jobinfo SET ${CHANGES} ${GUARD}`;
const UPDATE_UNENDED = `UPDATE jobinfo SET ${CHANGES}, scheduled_at = ? ${GUARD}`;

const UPDATE_JOINED = `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id BIGINT PATH '$[0]', claim BIGINT PATH '$[1]', revision BIGINT PATH '$[2]', status INT PATH '$[3]',
    at BIGINT PATH '$[4]', scheduled_at BIGINT PATH '$[5]', attempt INT PATH '$[6]', failures INT PATH '$[7]',
    lost INT PATH '$[8]', ended_at BIGINT PATH '$[9]', update_time BIGINT PATH '$[10]')) AS p
  STRAIGHT_JOIN jobinfo AS j ON j.id = p.id
  SET j.status = p.status, j.at = p.at, j.scheduled_at = p.scheduled_at, j.attempt = p.attempt,
    j.failures = p.failures, j.lost = p.lost, j.ended_at = p.ended_at, j.update_time = p.update_time
  WHERE j.status = ${STORED_STATUS.RUNNING} AND j.claim = p.claim AND j.revision = p.revision`;

export async function projectJobs(
  session: Session,
  projections: readonly Projection[],
  epoch: number | undefined,
): Promise<boolean[]> {
  let hits = 0;
  const { alike, mixed } = group(projections.toSorted((a, b) => a.jobId - b.jobId));
  for (const rows of alike) hits += await updateAlike(session, rows, epoch);
  for (const rows of chunks(mixed)) hits += await updateJoined(session, rows, epoch);
  if (hits === projections.length) return projections.map(() => true);
  if (hits === 0 && epoch !== undefined) await checkEpoch(session, epoch);
  return readApplied(session, projections);
}

async function updateAlike(
  session: Session,
  rows: readonly Projection[],
  epoch: number | undefined,
): Promise<number> {
  const [first] = rows;
  if (first === undefined) return 0;
  let hits = 0;
  for (const part of chunks(rows)) {
    const ids = isOneOf(part.map((row) => row.jobId));
    const values: SqlValue[] = [...sharedBy(first), ...ids.values];
    const sql = `${hasEnded(first) ? UPDATE_ENDED : UPDATE_UNENDED} AND ${ids.sql}`;
    const outcome =
      epoch === undefined
        ? await session.execute(sql, values)
        : await session.execute(`${sql} AND ${FENCE}`, [...values, epoch]);
    hits += outcome.affectedRows;
  }
  return hits;
}

async function updateJoined(
  session: Session,
  rows: readonly Projection[],
  epoch: number | undefined,
): Promise<number> {
  const json = JSON.stringify(
    rows.map((row) => [
      row.jobId,
      row.claim,
      row.revision,
      row.status,
      row.at,
      row.scheduledAt,
      row.attempt,
      row.failures,
      row.lost,
      row.endedAt,
      row.updateTime,
    ]),
  );
  const outcome =
    epoch === undefined
      ? await session.query(UPDATE_JOINED, [json])
      : await session.query(`${UPDATE_JOINED} AND ${FENCE}`, [json, epoch]);
  return outcome.affectedRows;
}

/** What rows have to have in common to share a statement: its values, but for the ids. */
function sharedBy(row: Projection): number[] {
  const { status, at, attempt, failures, lost, endedAt, updateTime, claim, revision } = row;
  const changes = [status, at, attempt, failures, lost, endedAt, updateTime];
  if (!hasEnded(row)) changes.push(row.scheduledAt);
  changes.push(claim, revision);
  return changes;
}

function areAlike(a: Projection, b: Projection): boolean {
  return (
    a.status === b.status &&
    a.at === b.at &&
    a.attempt === b.attempt &&
    a.failures === b.failures &&
    a.lost === b.lost &&
    a.endedAt === b.endedAt &&
    a.updateTime === b.updateTime &&
    a.claim === b.claim &&
    a.revision === b.revision &&
    (a.scheduledAt === b.scheduledAt || hasEnded(a))
  );
}

function group(rows: readonly Projection[]): {
  readonly alike: readonly (readonly Projection[])[];
  readonly mixed: readonly Projection[];
} {
  const [first] = rows;
  // As it is for most batches, and cheaper to see than to name each row's group.
  if (first === undefined || rows.every((row) => areAlike(first, row))) return { alike: [rows], mixed: [] };
  const groups = new Map<string, Projection[]>();
  for (const row of rows) {
    const name = sharedBy(row).join();
    const same = groups.get(name);
    if (same === undefined) groups.set(name, [row]);
    else same.push(row);
  }
  const all = [...groups.values()];
  return {
    alike: all.filter((same) => same.length >= OWN_STATEMENT_ROWS),
    mixed: all
      .filter((same) => same.length < OWN_STATEMENT_ROWS)
      .flat()
      .sort((a, b) => a.jobId - b.jobId),
  };
}

/** A row that stands as projected was hit, now or by an earlier try that was cut off. */
async function readApplied(session: Session, projections: readonly Projection[]): Promise<boolean[]> {
  const stored = new Map<number, Projection>();
  for (const part of chunks(projections)) {
    const ids = padded(part.map((row) => row.jobId));
    const rows = await session.read<Projection>(
      `SELECT id AS jobId, status, at, scheduled_at AS scheduledAt, attempt, failures, lost,
        ended_at AS endedAt, update_time AS updateTime, claim, revision
      FROM jobinfo WHERE id IN (${marks(ids.length)})`,
      ids,
    );
    for (const row of rows) stored.set(row.jobId, row);
  }
  return projections.map((projection) => {
    const row = stored.get(projection.jobId);
    return row !== undefined && areAlike(projection, row);
  });
}
