/** Records of the audit. Few a second: each statement is one of few rows by primary key. */
import type { AuditEnd, AuditKey, AuditRecord } from "../../core/audit/audit-record.ts";
import { auditList, pageOldAudit } from "../audit-query.ts";
import { AUDIT_COLUMNS, AUDIT_VALUES, END_AUDIT } from "../audit-row.ts";
import { rowValues } from "../column-list.ts";
import { MYSQL } from "../dialect.ts";
import { chunks } from "../in-list.ts";
import type { Session } from "./connection-pool.ts";
import { checkEpoch, FENCE, FENCED_EPOCH, insertFenced } from "./fence.ts";

const ROW = AUDIT_COLUMNS.map(() => "?");
const FENCED_ROW = ROW.with(AUDIT_COLUMNS.indexOf("epoch"), FENCED_EPOCH);
const MOST_ROWS = 500;

/** What an earlier try has stored is left as it is: it may have been completed since. */
function insertText(rows: number, fenced: boolean): string {
  const first = `(${(fenced ? FENCED_ROW : ROW).join(", ")})`;
  const others = `, (${ROW.join(", ")})`.repeat(rows - 1);
  return `INSERT INTO jobaudit (${AUDIT_COLUMNS.join(", ")}) VALUES ${first}${others} ON DUPLICATE KEY UPDATE id = id`;
}

const INSERT_ONE = insertText(1, true);

export async function writeAudit(
  session: Session,
  records: readonly AuditRecord[],
  epoch = 0,
): Promise<void> {
  for (const part of chunks(records, MOST_ROWS)) {
    const values = rowValues(AUDIT_VALUES, part, epoch);
    const isFenced = epoch !== 0;
    if (!isFenced) await session.query(insertText(part.length, false), values);
    else if (part.length === 1) await insertFenced(epoch, () => session.execute(INSERT_ONE, values));
    else await insertFenced(epoch, () => session.query(insertText(part.length, true), values));
  }
}

export async function endAudit(session: Session, { at, id }: AuditKey, end: AuditEnd): Promise<void> {
  await session.execute(END_AUDIT, [end.detail, end.outcome, end.firstJobId, end.lastJobId, at, id]);
}

export async function expireAudit(
  session: Session,
  epoch: number,
  through: AuditKey,
  limit: number,
): Promise<number> {
  let removed = 0;
  const old = await pageOldAudit((sql, values) => session.read(sql, values), MYSQL, through, limit);
  for (const part of chunks(old)) {
    const list = auditList(MYSQL, part);
    const { affectedRows } = await session.execute(
      `DELETE jobaudit FROM jobaudit FORCE INDEX (PRIMARY) WHERE ${list.sql} AND ${FENCE}`,
      [...list.values, epoch],
    );
    if (affectedRows === 0) await checkEpoch(session, epoch);
    removed += affectedRows;
  }
  return removed;
}
