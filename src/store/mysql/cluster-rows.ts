/** The mastership, ids, classes and nodes. */
import { ElasticJobError } from "../../core/errors.ts";
import type { JobClass } from "../../core/job.ts";
import type { Read, SqlValue } from "../dialect.ts";
import type { RaisedIds, Reign, StoredMastership, UnheardNote } from "../job-store.ts";
import { aboveKeys, aboveRows, HIGHEST, type Highest } from "../raise-ids.ts";
import { findNode, readMastership } from "../read-jobs.ts";
import type { Session } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";
import { checkEpoch, FENCE, FENCED_EPOCH, insertFenced } from "./fence.ts";

const ADVANCE_EPOCH = "UPDATE jobcluster SET epoch = ?, incarnation = ? WHERE id = 1 AND epoch = ?";
const OFFER_ZONE_DATA = "UPDATE jobcluster SET zone_data = ? WHERE id = 1 AND zone_data < ?";
/** It is the fence's own row. */
const SET_ZONES_COMPUTED = "UPDATE jobcluster SET zone_computed = ? WHERE id = 1 AND epoch = ?";
/** The old value comes back as the statement's insert id. */
const RESERVE_IDS = `UPDATE jobidblock SET next_id = LAST_INSERT_ID(next_id) + ? WHERE id = 1 AND ${FENCE}`;
/** What lies behind a table of the same name is told by when it was made, to the second. */
const READ_IDS = `SELECT next_id, made, ${HIGHEST},
  (SELECT CAST(create_time AS CHAR) FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name = 'jobidblock') AS created
  FROM jobidblock WHERE id = 1`;
const RAISE_IDS = `UPDATE jobidblock SET next_id = ?, made = ? WHERE id = 1 AND next_id = ? AND ${FENCE}`;
const ADD_CLASS = `INSERT INTO jobclass (id, handler, labels, epoch) VALUES (?, ?, ?, ${FENCED_EPOCH})`;
const REGISTER_NODE = "INSERT INTO jobnode (incarnation, node_id) VALUES (?, ?)";
const NOTE_UNHEARD = `UPDATE jobnode SET unheard_since = ? WHERE number = ? AND ${FENCE}`;
const ANNOUNCE_REIGN = `UPDATE jobcluster SET address = ?, lock_key = ? WHERE id = 1 AND epoch = ?`;
/** Of no row: nothing is locked or logged, but a server that is read-only refuses it. */
const PROBE = "UPDATE jobnode SET node_id = node_id WHERE number = 0";
/** Longer than it takes to count as silent, so that one that is only slow keeps its connection. */
const PROBE_LIMIT_MS = 2_500;
const CLOCK = "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS now_ms";

export async function readClock(session: Session): Promise<number> {
  const [row] = await session.read<{ now_ms: number }>(CLOCK, []);
  if (row === undefined) throw new ElasticJobError("internal", "MySQL did not tell its time");
  return row.now_ms;
}

export async function probe(session: Session): Promise<void> {
  await session.query(PROBE, [], PROBE_LIMIT_MS);
}

export async function advanceEpoch(session: Session, from: number, to: StoredMastership): Promise<boolean> {
  const { affectedRows } = await session.execute(ADVANCE_EPOCH, [to.epoch, to.incarnation, from]);
  if (affectedRows === 1) return true;
  const now = await readMastership((sql, values) => session.read(sql, values));
  return now.epoch === to.epoch && now.incarnation === to.incarnation;
}

export async function offerZoneData(session: Session, version: string): Promise<void> {
  await session.execute(OFFER_ZONE_DATA, [version, version]);
}

export async function setZonesComputed(session: Session, epoch: number, version: string): Promise<void> {
  const { affectedRows } = await session.execute(SET_ZONES_COMPUTED, [version, epoch]);
  if (affectedRows === 0) await checkEpoch(session, epoch);
}

export async function raiseIds(session: Session, epoch: number): Promise<RaisedIds | null> {
  const read: Read = (sql, values) => session.read(sql, values);
  const [now] = await read<Highest & { next_id: number; made: string; created: string | null }>(READ_IDS, []);
  if (now === undefined) throw noIdBlock();
  const created = now.created ?? "";
  const isRestored = created !== now.made;
  if (!isRestored && aboveRows(now.next_id, now) === now.next_id) return null;
  const to = await aboveKeys(read, now.next_id, now);
  const { affectedRows } = await session.execute(RAISE_IDS, [to, created, now.next_id, epoch]);
  if (affectedRows === 0) await checkEpoch(session, epoch);
  return to === now.next_id ? null : { from: now.next_id, to };
}

/** A repeat after a cut connection may leave a block unused. */
export async function reserveIds(session: Session, epoch: number, count: number): Promise<number> {
  const { affectedRows, insertId } = await session.execute(RESERVE_IDS, [count, epoch]);
  if (affectedRows === 0) {
    await checkEpoch(session, epoch);
    throw noIdBlock();
  }
  return insertId;
}

function noIdBlock(): ElasticJobError {
  return new ElasticJobError(
    "internal",
    "the table jobidblock has lost its row: insert (1, 1, '') for (id, next_id, made)",
  );
}

export function addClass(session: Session, epoch: number, jobClass: JobClass): Promise<void> {
  const labels = JSON.stringify(jobClass.labels);
  return addOnce(session, epoch, {
    insert: ADD_CLASS,
    values: [jobClass.id, jobClass.handler, labels],
    find: "SELECT id FROM jobclass WHERE id = ? AND CAST(handler AS BINARY) = CAST(? AS BINARY) AND labels = ?",
    name: `class ${jobClass.id}`,
  });
}

export async function registerNode(session: Session, incarnation: string, nodeId: string): Promise<number> {
  const read: Read = (sql, values) => session.read(sql, values);
  const known = await findNode(read, incarnation);
  if (known !== null) return known;
  try {
    return (await session.execute(REGISTER_NODE, [incarnation, nodeId])).insertId;
  } catch (error) {
    // By an earlier try of this call.
    const number = failureOf(error) === "duplicate" ? await findNode(read, incarnation) : null;
    if (number === null) throw error;
    return number;
  }
}

export async function noteUnheard(
  session: Session,
  epoch: number,
  notes: readonly UnheardNote[],
): Promise<void> {
  for (const { number, since } of notes) {
    const { affectedRows } = await session.execute(NOTE_UNHEARD, [since, number, epoch]);
    if (affectedRows === 0) await checkEpoch(session, epoch);
  }
}

export async function announceReign(session: Session, epoch: number, reign: Reign): Promise<void> {
  const { affectedRows } = await session.execute(ANNOUNCE_REIGN, [reign.address, reign.lockKey, epoch]);
  if (affectedRows === 0) await checkEpoch(session, epoch);
}

/** A row that is there already must be the same one. */
async function addOnce(
  session: Session,
  epoch: number,
  row: {
    readonly insert: string;
    readonly values: readonly SqlValue[];
    readonly find: string;
    readonly name: string;
  },
): Promise<void> {
  try {
    await insertFenced(epoch, () => session.execute(row.insert, [...row.values, epoch]));
  } catch (error) {
    if (failureOf(error) !== "duplicate") throw error;
    const same = await session.read(row.find, row.values);
    if (same.length === 0) {
      throw new ElasticJobError("internal", `${row.name} is taken by another`, { cause: error });
    }
  }
}
