/** A row of `jobaudit`: its columns, and the record that is made of it. */
import type { AuditRecord } from "../core/audit/audit-record.ts";
import type { ReadColumn, RowOf } from "./column-list.ts";

const COLUMNS = {
  at: ({ at }: AuditRecord) => at,
  id: ({ id }: AuditRecord) => id,
  epoch: (_: AuditRecord, epoch: number) => epoch,
  caller: ({ caller }: AuditRecord) => caller.name,
  address: ({ caller }: AuditRecord) => caller.address,
  forwarded_for: ({ caller }: AuditRecord) => caller.forwardedFor,
  method: ({ method }: AuditRecord) => method,
  job_id: ({ jobId }: AuditRecord) => jobId,
  node_id: ({ nodeId }: AuditRecord) => nodeId,
  first_job: ({ firstJobId }: AuditRecord) => firstJobId,
  last_job: ({ lastJobId }: AuditRecord) => lastJobId,
  n: ({ count }: AuditRecord) => count,
  detail: ({ detail }: AuditRecord) => detail,
  outcome: ({ outcome }: AuditRecord) => outcome,
} as const satisfies Readonly<Record<string, ReadColumn<AuditRecord>>>;

export type AuditRow = Omit<RowOf<typeof COLUMNS>, "epoch">;

export const AUDIT_COLUMNS: readonly string[] = Object.keys(COLUMNS);
export const AUDIT_VALUES: readonly ReadColumn<AuditRecord>[] = Object.values(COLUMNS);
export const SELECT_AUDIT = AUDIT_COLUMNS.filter((name) => name !== "epoch").join(", ");
/** Sets how a change has ended; takes `endValues`, and the key. */
export const END_AUDIT =
  "UPDATE jobaudit SET detail = ?, outcome = ?, first_job = ?, last_job = ? WHERE at = ? AND id = ?";

export function auditOfRow(row: AuditRow): AuditRecord {
  return {
    at: row.at,
    id: row.id,
    caller: { name: row.caller, address: row.address, forwardedFor: row.forwarded_for },
    method: row.method,
    jobId: row.job_id,
    nodeId: row.node_id,
    firstJobId: row.first_job,
    lastJobId: row.last_job,
    count: row.n,
    detail: row.detail,
    outcome: row.outcome,
  };
}
