/**
 * The projection: brings a RUNNING job in line with the final row of its claim. Jobs that change in the
 * same way share one UPDATE by key, the others one UPDATE joined to a JSON table (about twice the cost).
 */
import { hasEnded, STORED_STATUS } from "../../core/job.ts";
import type { ReadColumn } from "../column-list.ts";
import type { SqlValue } from "../dialect.ts";
import { chunks, isOneOf, marks, padded } from "../in-list.ts";
import { type JobColumn, type JobRow, PROJECTED, readersOf } from "../job-row.ts";
import type { Projection } from "../job-store.ts";
import type { Session } from "./connection-pool.ts";
import { checkEpoch, FENCE } from "./fence.ts";

/** Below this many alike, a statement of their own costs more than the join. */
const OWN_STATEMENT_ROWS = 16;

const GUARD = ["claim", "revision"] as const;
type Compared = (typeof PROJECTED | typeof GUARD)[number];

/** An UPDATE by key: what its rows have in common, the values of these columns, is bound once. */
interface SharedUpdate {
  readonly sql: string;
  readonly shared: readonly Compared[];
  readonly readers: readonly ReadColumn<Projection>[];
}

function updateOf(changed: readonly (typeof PROJECTED)[number][]): SharedUpdate {
  const shared = [...changed, ...GUARD];
  const set = changed.map((name) => `${name} = ?`).join(", ");
  const guard = GUARD.map((name) => `${name} = ?`).join(" AND ");
  const sql = `UPDATE jobinfo SET ${set} WHERE status = ${STORED_STATUS.RUNNING} AND ${guard}`;
  return { sql, shared, readers: readersOf(shared) };
}

const CHANGED_BY_END = PROJECTED.filter((name) => name !== "scheduled_at");
/** A job that has ended stays at its last occurrence: so jobs of many occurrences end alike. */
const UPDATE_ENDED = updateOf(CHANGED_BY_END);
const UPDATE_UNENDED = updateOf([...CHANGED_BY_END, "scheduled_at"]);

const COMPARED = [...GUARD, ...PROJECTED];
const COMPARED_VALUES: readonly ReadColumn<Projection>[] = readersOf(COMPARED);
const SMALL: readonly JobColumn[] = ["status", "attempt", "failures", "lost"];
const JOINED = ["id" as const, ...COMPARED].map(
  (name, index) => `${name} ${SMALL.includes(name) ? "INT" : "BIGINT"} PATH '$[${index}]'`,
);
const UPDATE_JOINED = `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (${JOINED.join(", ")})) AS p
  STRAIGHT_JOIN jobinfo AS j ON j.id = p.id
  SET ${PROJECTED.map((name) => `j.${name} = p.${name}`).join(", ")}
  WHERE j.status = ${STORED_STATUS.RUNNING} AND ${GUARD.map((name) => `j.${name} = p.${name}`).join(" AND ")}`;

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
  const update = updateFor(first);
  const shared = sharedBy(first);
  let hits = 0;
  for (const part of chunks(rows)) {
    const ids = isOneOf(part.map((row) => row.jobId));
    const values: SqlValue[] = [...shared, ...ids.values];
    const sql = `${update.sql} AND ${ids.sql}`;
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
  const json = JSON.stringify(rows.map((row) => [row.jobId, ...COMPARED_VALUES.map((read) => read(row, 0))]));
  const outcome =
    epoch === undefined
      ? await session.query(UPDATE_JOINED, [json])
      : await session.query(`${UPDATE_JOINED} AND ${FENCE}`, [json, epoch]);
  return outcome.affectedRows;
}

function updateFor(row: Projection): SharedUpdate {
  return hasEnded(row) ? UPDATE_ENDED : UPDATE_UNENDED;
}

/** What rows have to have in common to share a statement: its values, but for the ids. */
function sharedBy(row: Projection): SqlValue[] {
  return updateFor(row).readers.map((read) => read(row, 0));
}

function areAlike(rows: readonly Projection[], first: Projection): boolean {
  const shared = sharedBy(first);
  // The status is among them, so those that are alike also have the update in common.
  const { readers } = updateFor(first);
  return rows.every((row) => hasValues(row, readers, shared));
}

function hasValues(
  row: Projection,
  readers: readonly ReadColumn<Projection>[],
  values: readonly SqlValue[],
): boolean {
  let index = 0;
  for (const read of readers) if (read(row, 0) !== values[index++]) return false;
  return true;
}

function group(rows: readonly Projection[]): {
  readonly alike: readonly (readonly Projection[])[];
  readonly mixed: readonly Projection[];
} {
  const [first] = rows;
  // So it is for most batches, and that is cheaper to see than to name each row's group.
  if (first === undefined || areAlike(rows, first)) return { alike: [rows], mixed: [] };
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
  const stored = new Map<number, Pick<JobRow, "id" | Compared>>();
  for (const part of chunks(projections)) {
    const ids = padded(part.map((row) => row.jobId));
    const rows = await session.read<Pick<JobRow, "id" | Compared>>(
      `SELECT id, ${COMPARED.join(", ")} FROM jobinfo WHERE id IN (${marks(ids.length)})`,
      ids,
    );
    for (const row of rows) stored.set(row.id, row);
  }
  return projections.map((projection) => {
    const row = stored.get(projection.jobId);
    if (row === undefined) return false;
    const wanted = sharedBy(projection);
    return updateFor(projection).shared.every((name, index) => row[name] === wanted[index]);
  });
}
