/** What a simulation leaves behind for the checker. Times are milliseconds of virtual time, unless said otherwise. */
import type { JobRecord, ResultRecord } from "../../src/core/job.ts";
import type { Span } from "../guarantees/facts.ts";

/** One call of a handler. */
export interface Execution {
  readonly jobId: number;
  readonly claim: number;
  readonly scheduledAt: number;
  readonly nodeId: string;
  readonly startedAt: number;
  /** Null: it still runs. Of a process that died: when it died. */
  endedAt: number | null;
  /** Its process died while it ran. */
  wasAbandoned: boolean;
}

/** A process that was stopped (SIGSTOP): it can't fence itself, so what it overlaps is not its fault. */
export interface Freeze {
  readonly nodeId: string;
  readonly from: number;
  /** Null: it still is. */
  to: number | null;
}

export interface Evidence {
  readonly jobs: readonly JobRecord[];
  readonly results: readonly ResultRecord[];
  /** The final rows as they were seen before, in the order in which they were seen. */
  readonly seenRows: readonly ResultRecord[];
  /** The calls that were answered with a job, by its id; the job that an add makes has the call's name. */
  readonly acknowledged: ReadonlyMap<number, string>;
  /** Jobs whose deletion was asked for, whether or not it was answered. */
  readonly deleted: ReadonlySet<number>;
  readonly executions: readonly Execution[];
  readonly freezes: readonly Freeze[];
  /** What the nodes logged that must never be: jobs that memory had missed, loops that have stopped. */
  readonly alarms: readonly string[];
  /** What callers asked to be done to which job, whether or not it was answered. */
  readonly asked: ReadonlyMap<number, ReadonlySet<string>>;
  /** When jobs could not be given out; null: nobody has kept an eye on it. */
  readonly outages: readonly Span[] | null;
  /** The database's clock when it began, and now, in epoch milliseconds. */
  readonly start: number;
  readonly now: number;
}
