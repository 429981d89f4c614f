/** Records of the audit. */
import type { AuditEnd, AuditKey, AuditRecord } from "../../core/audit/audit-record.ts";
import { AUDIT_COLUMNS, AUDIT_VALUES, END_AUDIT } from "../audit-row.ts";
import { rowValues } from "../column-list.ts";
import { marks } from "../in-list.ts";
import type { Database } from "./database.ts";

/** What an earlier try has stored is left as it is: it may have been completed since. */
const INSERT = `INSERT INTO jobaudit (${AUDIT_COLUMNS.join(", ")}) VALUES (${marks(AUDIT_COLUMNS.length)}) ON CONFLICT DO NOTHING`;

export function writeAudit(database: Database, records: readonly AuditRecord[], epoch?: number): void {
  database.write(epoch ?? null, () => {
    for (const record of records) database.run(INSERT, rowValues(AUDIT_VALUES, [record], epoch ?? 0));
  });
}

export function endAudit(database: Database, { at, id }: AuditKey, end: AuditEnd): void {
  const values = [end.detail, end.outcome, end.firstJobId, end.lastJobId, at, id];
  database.write(null, () => database.run(END_AUDIT, values));
}

export function deleteAudit(database: Database, epoch: number, keys: readonly AuditKey[]): number {
  return database.write(epoch, () => {
    let removed = 0;
    for (const { at, id } of keys)
      removed += database.run("DELETE FROM jobaudit WHERE at = ? AND id = ?", [at, id]);
    return removed;
  });
}
