/** The mastership, ids, classes and nodes. */
import { ElasticJobError } from "../../core/errors.ts";
import type { JobClass } from "../../core/job.ts";
import type { SqlValue } from "../dialect.ts";
import type { RaisedIds, Reign, StoredMastership, UnheardNote } from "../job-store.ts";
import { aboveKeys, aboveRows, HIGHEST, type Highest } from "../raise-ids.ts";
import type { Database } from "./database.ts";

export function advanceEpoch(database: Database, from: number, to: StoredMastership): boolean {
  return database.write(null, () => {
    const advanced = database.run(
      "UPDATE jobcluster SET epoch = ?, incarnation = ? WHERE id = 1 AND epoch = ?",
      [to.epoch, to.incarnation, from],
    );
    if (advanced === 1) return true;
    // Advanced by an earlier call of ours?
    const own = database.read("SELECT id FROM jobcluster WHERE id = 1 AND epoch = ? AND incarnation = ?", [
      to.epoch,
      to.incarnation,
    ]);
    return own.length === 1;
  });
}

export function offerZoneData(database: Database, version: string): void {
  database.write(null, () =>
    database.run("UPDATE jobcluster SET zone_data = ? WHERE id = 1 AND zone_data < ?", [version, version]),
  );
}

export function setZonesComputed(database: Database, epoch: number, version: string): void {
  database.write(epoch, () =>
    database.run("UPDATE jobcluster SET zone_computed = ? WHERE id = 1", [version]),
  );
}

export async function raiseIds(database: Database, epoch: number): Promise<RaisedIds | null> {
  const [now] = database.read<Highest & { next_id: number }>(
    `SELECT next_id, ${HIGHEST} FROM jobidblock WHERE id = 1`,
    [],
  );
  if (now === undefined) throw noIdBlock();
  if (aboveRows(now.next_id, now) === now.next_id) return null;
  const to = await aboveKeys(async (sql, values) => database.read(sql, values), now.next_id, now);
  database.write(epoch, () =>
    database.run("UPDATE jobidblock SET next_id = ? WHERE id = 1 AND next_id = ?", [to, now.next_id]),
  );
  return { from: now.next_id, to };
}

export function reserveIds(database: Database, epoch: number, count: number): number {
  return database.write(epoch, () => {
    const [row] = database.read<{ first: number }>(
      "UPDATE jobidblock SET next_id = next_id + ? WHERE id = 1 RETURNING next_id - ? AS first",
      [count, count],
    );
    if (row === undefined) throw noIdBlock();
    return row.first;
  });
}

function noIdBlock(): ElasticJobError {
  return new ElasticJobError(
    "internal",
    "the table jobidblock has lost its row: insert (1, 1) for (id, next_id)",
  );
}

export function addClass(database: Database, epoch: number, jobClass: JobClass): void {
  const values = [jobClass.id, jobClass.handler, JSON.stringify(jobClass.labels)];
  addOnce(database, epoch, {
    insert: "INSERT INTO jobclass (id, handler, labels, epoch) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    find: "SELECT id FROM jobclass WHERE id = ? AND handler = ? AND labels = ?",
    values,
    name: `class ${jobClass.id}`,
  });
}

export function registerNode(database: Database, incarnation: string, nodeId: string): number {
  return database.write(null, () => {
    database.run("INSERT INTO jobnode (incarnation, node_id) VALUES (?, ?) ON CONFLICT DO NOTHING", [
      incarnation,
      nodeId,
    ]);
    const [row] = database.read<{ number: number }>("SELECT number FROM jobnode WHERE incarnation = ?", [
      incarnation,
    ]);
    if (row === undefined) throw new ElasticJobError("internal", "the node's row is missing");
    return row.number;
  });
}

export function noteUnheard(database: Database, epoch: number, notes: readonly UnheardNote[]): void {
  database.write(epoch, () => {
    for (const { number, since } of notes) {
      database.run("UPDATE jobnode SET unheard_since = ? WHERE number = ?", [since, number]);
    }
  });
}

export function announceReign(database: Database, epoch: number, { address, lockKey }: Reign): void {
  database.write(epoch, () => {
    database.run("UPDATE jobcluster SET address = ?, lock_key = ? WHERE id = 1", [address, lockKey]);
  });
}

/** A row that is there already must be the same one. */
function addOnce(
  database: Database,
  epoch: number,
  row: {
    readonly insert: string;
    readonly find: string;
    readonly values: readonly SqlValue[];
    readonly name: string;
  },
): void {
  database.write(epoch, () => {
    if (database.run(row.insert, [...row.values, epoch]) === 1) return;
    if (database.read(row.find, row.values).length === 0) {
      throw new ElasticJobError("internal", `${row.name} is taken by another`);
    }
  });
}
