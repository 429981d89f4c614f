/** The mastership, ids, classes and nodes. */
import { ElasticJobError } from "../../core/errors.ts";
import type { JobClass } from "../../core/job.ts";
import type { SqlValue } from "../dialect.ts";
import type { Mastership, NodeRecord, RaisedIds } from "../job-store.ts";
import { aboveKeys, aboveRows, HIGHEST, type Highest } from "../raise-ids.ts";
import type { Database } from "./database.ts";

export function advanceEpoch(database: Database, from: number, to: Mastership): boolean {
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

export function addNode(database: Database, epoch: number, node: NodeRecord): void {
  addOnce(database, epoch, {
    insert:
      "INSERT INTO jobnode (number, incarnation, node_id, epoch) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    find: "SELECT number FROM jobnode WHERE number = ? AND incarnation = ? AND node_id = ?",
    values: [node.number, node.incarnation, node.nodeId],
    name: `node number ${node.number}`,
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
