/**
 * The fence: a write of a master takes effect only while its epoch is the newest (docs/architecture.md, G2).
 *
 * Each statement reads the epoch with a lock. A plain subquery is not enough: under READ COMMITTED it
 * reads a snapshot, and was seen to let an old claim commit after the epoch had moved. LOCK IN SHARE
 * MODE, as MariaDB does not know FOR SHARE. With the lock, a write either commits before the epoch
 * moves, or waits and then sees the new one. An INSERT has no WHERE: its first row takes the epoch
 * into a NOT NULL column, and a stale one is NULL, which strict mode refuses.
 */
import { ElasticJobError } from "../../core/errors.ts";
import type { Session } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";

/** For a WHERE clause; takes the epoch. */
export const FENCE = fenceOnRow(1);
/** For the first row of an INSERT, in place of its epoch; takes the epoch. */
export const FENCED_EPOCH = fencedEpochOfRow(1);

/** Row 2 is for the proof at start. */
export function fenceOnRow(id: 1 | 2): string {
  return `(SELECT epoch FROM jobcluster WHERE id = ${id} LOCK IN SHARE MODE) = ?`;
}

export function fencedEpochOfRow(id: 1 | 2): string {
  return `(SELECT epoch FROM jobcluster WHERE id = ${id} AND epoch = ? LOCK IN SHARE MODE)`;
}

function staleEpoch(epoch: number): ElasticJobError {
  return new ElasticJobError("stale_epoch", `epoch ${epoch} is over: another mastership has begun`);
}

/** Tells a stale epoch from a missed guard, after a write that hit nothing. */
export async function checkEpoch(session: Session, epoch: number): Promise<void> {
  const [row] = await session.read<{ epoch: number }>("SELECT epoch FROM jobcluster WHERE id = 1", []);
  if (row?.epoch !== epoch) throw staleEpoch(epoch);
}

/** Runs a fenced INSERT; its refused NULL becomes `stale_epoch`. */
export async function insertFenced<T>(epoch: number, insert: () => Promise<T>): Promise<T> {
  try {
    return await insert();
  } catch (error) {
    if (failureOf(error) === "null" && error instanceof Error && error.message.includes("epoch")) {
      throw staleEpoch(epoch);
    }
    throw error;
  }
}
