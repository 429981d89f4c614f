/** What attempts said. Each row is its claim's alone, and never changes: a repeated write finds it there. */
import type { LogChunk } from "../../core/log/log-line.ts";
import { MYSQL } from "../dialect.ts";
import { chunks, marks, rowMarks } from "../in-list.ts";
import type { ClaimRef } from "../job-store.ts";
import { LOG_COLUMNS, logValues } from "../log-row.ts";
import { claimList } from "../read-jobs.ts";
import type { Session } from "./connection-pool.ts";
import { FENCE } from "./fence.ts";

const HEAD = `INSERT INTO joblog (${LOG_COLUMNS.join(", ")}) VALUES `;
const TAIL = " ON DUPLICATE KEY UPDATE n = n";
const ONE = `${HEAD}(${marks(LOG_COLUMNS.length)})${TAIL}`;

/** Not fenced: it is no state, and what was said was said, whoever is master. */
export async function writeLog(session: Session, logged: readonly LogChunk[]): Promise<void> {
  const [only] = logged;
  if (only === undefined) return;
  if (logged.length === 1) await session.execute(ONE, logValues(only));
  else {
    const rows = rowMarks(LOG_COLUMNS.length, logged.length);
    await session.query(`${HEAD}${rows}${TAIL}`, logged.flatMap(logValues));
  }
}

/** All that was said under these claims. It goes before their results, by which it is found. */
export async function deleteLog(session: Session, epoch: number, claims: readonly ClaimRef[]): Promise<void> {
  for (const part of chunks(claims)) {
    const list = claimList(MYSQL, part);
    await session.execute(`DELETE joblog FROM joblog FORCE INDEX (PRIMARY) WHERE ${list.sql} AND ${FENCE}`, [
      ...list.values,
      epoch,
    ]);
  }
}
