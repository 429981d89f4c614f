/** Where the two databases need different words for the same read. */
import type { AuditKey } from "../core/audit/audit-record.ts";
import type { Cursor } from "./job-store.ts";

export type SqlValue = number | string | null | Buffer;

export interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Runs one SELECT, with `?` for each value. */
export type Read = <Row>(sql: string, values: readonly SqlValue[]) => Promise<Row[]>;

export interface Dialect {
  /** What a text is cast to where it must compare byte by byte (MySQL's `_bin` ignores trailing spaces). */
  readonly bytes: "BINARY" | "BLOB";
  /** Makes the statement use the hot index, or fail. */
  readonly hotIndex: string;
  /** Makes a scan of jobs go by primary key. */
  readonly jobKey: string;
  /** Makes a scan of results go by primary key. */
  readonly resultKey: string;
  /** Makes the statement go by the audit's primary key, by its jobs, or by the jobs that were added. */
  readonly auditKey: string;
  readonly auditJob: string;
  readonly auditAdded: string;
  /** What stands before the rows of a list of rows: `(a, b) IN (<rows> (?, ?), …)`. */
  readonly rows: string;
  /** Rows of the hot index after the cursor, up to and with `through`. */
  hotRange(after: Cursor, through: number): Condition;
  /** Results at or below (jobId, claim). */
  resultsFrom(jobId: number, claim: number): Condition;
  /** Results at or above (jobId, claim). */
  resultsTo(jobId: number, claim: number): Condition;
  /** Records of the audit below the key, at or above it, and at or below it. */
  auditBefore(key: AuditKey): Condition;
  auditFrom(key: AuditKey): Condition;
  auditUpTo(key: AuditKey): Condition;
}

/** Its ranges are spelled out, as MySQL does not read them from row comparisons. */
export const MYSQL: Dialect = {
  bytes: "BINARY",
  hotIndex: "FORCE INDEX (jobinfo_hot)",
  jobKey: "FORCE INDEX (PRIMARY)",
  resultKey: "FORCE INDEX (PRIMARY)",
  auditKey: "FORCE INDEX (PRIMARY)",
  auditJob: "FORCE INDEX (jobaudit_job)",
  auditAdded: "FORCE INDEX (jobaudit_added)",
  rows: "",
  hotRange: (after, through) => ({
    sql: "((at = ? AND id > ? AND at <= ?) OR (at > ? AND at <= ?))",
    values: [after.at, after.id, through, after.at, through],
  }),
  resultsFrom: (jobId, claim) => ({
    sql: "(job_id < ? OR (job_id = ? AND claim <= ?))",
    values: [jobId, jobId, claim],
  }),
  resultsTo: (jobId, claim) => ({
    sql: "(job_id > ? OR (job_id = ? AND claim >= ?))",
    values: [jobId, jobId, claim],
  }),
  auditBefore: ({ at, id }) => ({ sql: "(at < ? OR (at = ? AND id < ?))", values: [at, at, id] }),
  auditFrom: ({ at, id }) => ({ sql: "(at > ? OR (at = ? AND id >= ?))", values: [at, at, id] }),
  auditUpTo: ({ at, id }) => ({ sql: "(at < ? OR (at = ? AND id <= ?))", values: [at, at, id] }),
};

/** Its ranges are row comparisons, as SQLite loses the index's order over an OR. */
export const SQLITE: Dialect = {
  bytes: "BLOB",
  hotIndex: "INDEXED BY jobinfo_hot",
  jobKey: "NOT INDEXED",
  resultKey: "INDEXED BY sqlite_autoindex_jobresult_1",
  auditKey: "INDEXED BY sqlite_autoindex_jobaudit_1",
  auditJob: "INDEXED BY jobaudit_job",
  auditAdded: "INDEXED BY jobaudit_added",
  rows: "VALUES ",
  hotRange: (after, through) => ({
    sql: "(at, id) > (?, ?) AND at <= ?",
    values: [after.at, after.id, through],
  }),
  resultsFrom: (jobId, claim) => ({ sql: "(job_id, claim) <= (?, ?)", values: [jobId, claim] }),
  resultsTo: (jobId, claim) => ({ sql: "(job_id, claim) >= (?, ?)", values: [jobId, claim] }),
  auditBefore: ({ at, id }) => ({ sql: "(at, id) < (?, ?)", values: [at, id] }),
  auditFrom: ({ at, id }) => ({ sql: "(at, id) >= (?, ?)", values: [at, id] }),
  auditUpTo: ({ at, id }) => ({ sql: "(at, id) <= (?, ?)", values: [at, id] }),
};
