/** The handlers that nodes have offered. Few rows, and seldom written: each has a statement of its own. */
import { chunks, marks, padded } from "../in-list.ts";
import type { HandlerRecord } from "../job-store.ts";
import type { Session } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";
import { checkEpoch, FENCE, FENCED_EPOCH, insertFenced } from "./fence.ts";

const REFRESH = `UPDATE jobhandler SET last_offered = ? WHERE name = ? AND last_offered < ? AND ${FENCE}`;
const ADD = `INSERT INTO jobhandler (name, last_offered, epoch) VALUES (?, ?, ${FENCED_EPOCH})`;

export async function noteHandlers(
  session: Session,
  epoch: number,
  handlers: readonly HandlerRecord[],
): Promise<void> {
  for (const { name, lastOffered } of handlers) {
    const { affectedRows } = await session.execute(REFRESH, [lastOffered, name, lastOffered, epoch]);
    if (affectedRows > 0) continue;
    try {
      await insertFenced(epoch, () => session.execute(ADD, [name, lastOffered, epoch]));
    } catch (error) {
      // It is there already, with a time that is not earlier.
      if (failureOf(error) !== "duplicate") throw error;
    }
  }
}

export async function forgetHandlers(
  session: Session,
  epoch: number,
  names: readonly string[],
  by: number,
): Promise<void> {
  for (const part of chunks(names.toSorted())) {
    const list = padded(part);
    const { affectedRows } = await session.execute(
      `DELETE jobhandler FROM jobhandler FORCE INDEX (PRIMARY) WHERE name IN (${marks(list.length)})
      AND last_offered <= ? AND ${FENCE}`,
      [...list, by, epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
  }
}
