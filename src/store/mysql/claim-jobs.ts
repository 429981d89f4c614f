/** The claim (G2): what gives a due occurrence to a node. Nothing runs without it. */
import { STORED_STATUS } from "../../core/job.ts";
import type { SqlValue } from "../dialect.ts";
import { chunks, isOneOf, paddedRows, rowMarks } from "../in-list.ts";
import type { ClaimWrite } from "../job-store.ts";
import type { Session } from "./connection-pool.ts";
import { checkEpoch, FENCE } from "./fence.ts";

const SET = `UPDATE jobinfo SET status = ${STORED_STATUS.RUNNING}, claim = claim + 1, attempt = attempt + 1,
  node = ?, update_time = ?`;

export async function claimJobs(
  session: Session,
  epoch: number,
  node: number,
  claims: readonly ClaimWrite[],
  now: number,
): Promise<number> {
  // The rows go in the order of their key: two statements that lock rows in one order cannot deadlock.
  const ordered = claims.toSorted((a, b) => a.jobId - b.jobId);
  let hits = 0;
  for (const part of chunks(ordered)) {
    const ids = isOneOf(part.map((claim) => claim.jobId));
    const guard = guardOf(part);
    const { affectedRows } = await session.execute(
      `${SET} WHERE ${ids.sql} AND status ${claimable(node)}
        AND ${guard.sql} AND ${FENCE}`,
      [node, now, ...ids.values, ...guard.values, epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
    hits += affectedRows;
  }
  return hits;
}

/** A claim for nobody, which skips or cancels an occurrence, also takes a job that is paused. */
function claimable(node: number): string {
  const { WAITING, PAUSED } = STORED_STATUS;
  return node === 0 ? `IN (${WAITING}, ${PAUSED})` : `= ${WAITING}`;
}

/** Most batches are first claims of unchanged jobs, for which comparing two columns is enough. */
function guardOf(claims: readonly ClaimWrite[]): { readonly sql: string; readonly values: SqlValue[] } {
  const [first] = claims;
  if (first === undefined) return { sql: "1 = 1", values: [] };
  if (claims.every((claim) => claim.claim === first.claim && claim.revision === first.revision)) {
    return { sql: "claim = ? AND revision = ?", values: [first.claim - 1, first.revision] };
  }
  const flat: SqlValue[] = [];
  for (const claim of claims) flat.push(claim.jobId, claim.claim - 1, claim.revision);
  const values = paddedRows(flat, 3);
  return { sql: `(id, claim, revision) IN (${rowMarks(3, values.length / 3)})`, values };
}
