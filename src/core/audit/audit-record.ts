/** What the audit keeps of what callers did: for a change one record, for adds and refusals one of many. */
import type { Caller } from "../callers/caller.ts";

export interface AuditKey {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Tells records of one moment apart; of one process, it goes up. */
  readonly id: number;
}

export interface AuditRecord extends AuditKey {
  readonly caller: Caller;
  /** As the API names it, such as PauseJob. */
  readonly method: string;
  /** The job that the call is about; null: adds, or a call about a node. */
  readonly jobId: number | null;
  /** The node that the call is about; empty: none. */
  readonly nodeId: string;
  /** Of the jobs that it added, the lowest id and the highest: between them may be other callers' jobs. Null: none. */
  readonly firstJobId: number | null;
  readonly lastJobId: number | null;
  /** Of adds, how many jobs were added; else, how many calls the record stands for. */
  readonly count: number;
  /** A few words: which fields were changed, of which handler and name. Never a payload. */
  readonly detail: string;
  /** `ok`, or the code of the error; empty: under way, or its master ended before it could say. */
  readonly outcome: string;
}

/** What is known of a change when it has been made. */
export type AuditEnd = Pick<AuditRecord, "detail" | "outcome" | "firstJobId" | "lastJobId">;

export const OK = "ok";
export const MOST_DETAIL_CHARACTERS = 300;

export interface AuditFilter {
  /** Epoch milliseconds, both inclusive. */
  readonly since?: number;
  readonly until?: number;
  readonly caller?: string;
  readonly method?: string;
  /** Changes of this job, and adds that may have added it. */
  readonly jobId?: number;
  readonly nodeId?: string;
}

/** How long records are kept, and how many; null: for ever, or all. */
export interface AuditRetention {
  readonly ageMs: number | null;
  readonly rows: number | null;
}
