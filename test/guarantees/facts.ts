/**
 * What a run of the cluster leaves behind, whatever ran it: real processes (`test/cluster`), or a simulation
 * (`test/simulation`). Each maps its evidence to this ledger, and the rules of `breaches.ts` judge it.
 */
import type { JobSpec, Outcome, StoredStatus } from "../../src/core/job.ts";

/** A row of jobinfo. */
export interface JobFact {
  readonly id: number;
  readonly status: StoredStatus;
  readonly scheduledAt: number;
  readonly claim: number;
  readonly parentId: number;
  readonly createTime: number;
  readonly spec: Pick<
    JobSpec,
    "name" | "schedule" | "bounds" | "jitterMs" | "misfire" | "overlap" | "deadlineMs"
  >;
}

export interface ClaimFact {
  readonly jobId: number;
  readonly claim: number;
}

/** A row of jobresult. */
export interface RowFact extends ClaimFact {
  readonly late: boolean;
  readonly outcome: Outcome;
  readonly scheduledAt: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly retryAt: number | null;
  readonly node: number;
  readonly reason: string;
  readonly skippedThrough: number | null;
  readonly skippedCount: number;
}

/** A handler that was called. */
export interface StartFact extends ClaimFact {
  readonly scheduledAt: number;
  /** Where and when, for people. */
  readonly where: string;
}

/** An add, by a name that no other has, and the job that it was answered with, or is stored as. */
export interface AddFact {
  readonly jobId: number;
  readonly add: string;
}

/** A stretch of time, both ends inclusive, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Ledger {
  readonly jobs: readonly JobFact[];
  readonly rows: readonly RowFact[];
  /** The final rows as they were seen before. */
  readonly seenRows: readonly RowFact[];
  readonly acknowledged: readonly AddFact[];
  readonly stored: readonly AddFact[];
  /** Jobs whose deletion was asked for. */
  readonly deleted: ReadonlySet<number>;
  readonly starts: readonly StartFact[];
  /** Handlers that came to their end. */
  readonly ends: readonly ClaimFact[];
  /** Handlers that ran when their process died. */
  readonly abandoned: readonly ClaimFact[];
  /** What callers asked to be done to which job. */
  readonly asked: ReadonlyMap<number, ReadonlySet<string>>;
  /** When jobs could not be given out; null: nobody has kept an eye on it. */
  readonly outages: readonly Span[] | null;
  /** The database's clock, epoch milliseconds: no later than the first job, and now. */
  readonly start: number;
  readonly now: number;
}

const NOTHING: ReadonlySet<string> = new Set();

export function askedOf({ asked }: Ledger, jobId: number): ReadonlySet<string> {
  return asked.get(jobId) ?? NOTHING;
}

export function finalRows({ rows }: Ledger): RowFact[] {
  return rows.filter(({ late }) => !late);
}

/** Of whatever has a claim: the words in which all rules speak of it. */
export function claimName({ jobId, claim }: ClaimFact): string {
  return `job ${jobId}, claim ${claim}`;
}
