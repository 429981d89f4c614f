/** Removes records of the audit that are old enough, and those beyond the newest so many. */
import type { AuditKey } from "../../core/audit/audit-record.ts";
import type { MasterContext } from "../context.ts";

const MOST_ROWS = 500;
/** Rows that a statement passes over. */
const SKIPPED_ROWS = 10_000;

/** Yields how many rows it has removed, after each batch. */
export async function* expireAudit(context: MasterContext, now: number): AsyncGenerator<number, void> {
  const { ageMs, rows } = context.settings.auditRetention;
  if (ageMs !== null) yield* removeUpTo(context, { at: now - ageMs, id: Number.MAX_SAFE_INTEGER });
  if (rows === null) return;
  let key: AuditKey | null = null;
  for (let left = rows + 1; left > 0; left -= SKIPPED_ROWS) {
    key = await context.store.skipAudit(key, Math.min(left, SKIPPED_ROWS));
    if (key === null) return;
    yield 0;
  }
  if (key !== null) yield* removeUpTo(context, key);
}

async function* removeUpTo({ store, epoch }: MasterContext, through: AuditKey): AsyncGenerator<number, void> {
  for (let removed = MOST_ROWS; removed === MOST_ROWS; ) {
    removed = await store.expireAudit(epoch, through, MOST_ROWS);
    yield removed;
  }
}
