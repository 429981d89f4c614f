/**
 * A job as the whole project speaks of it. What a caller asked for is the `JobSpec`; where the job
 * stands is the `OccurrenceState`. Both are one row of `jobinfo`.
 */

/** Due times. Instants are epoch milliseconds, UTC. */
export type Schedule =
  | { readonly kind: "immediate" }
  | { readonly kind: "timed"; readonly runAt: number }
  | {
      readonly kind: "daily";
      /** Local time, in seconds after midnight, 0 to 86,399. */
      readonly secondOfDay: number;
      readonly timeZone: string;
      readonly gap: "run_after" | "skip";
      readonly fold: "first" | "last" | "both";
    }
  | { readonly kind: "cron"; readonly expression: string; readonly timeZone: string }
  /** `anchor`: the first occurrence; each other one is `everyMs` after the one before. */
  | { readonly kind: "interval"; readonly everyMs: number; readonly anchor: number };

export type Misfire = "once" | "skip" | "all";
export type Overlap = "wait" | "skip" | "allow";

/** How long an idempotency key names its job: as long as it is kept, until it has ended, or so many ms. */
export type KeyLife = "kept" | "unfinished" | number;

/** Where a recurring schedule begins and ends. Instants are inclusive; null: no bound. */
export interface Bounds {
  readonly startAt: number | null;
  readonly endAt: number | null;
  /** Counted from the first occurrence, run or skipped. */
  readonly maxOccurrences: number | null;
  /** The last occurrence that the other bounds allow, as found when the schedule was set; null: no bound. */
  readonly lastAt: number | null;
}

export const NO_BOUNDS: Bounds = { startAt: null, endAt: null, maxOccurrences: null, lastAt: null };

export interface RetryPolicy {
  /** Attempts an occurrence gets; 0: until it succeeds. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly multiplier: number;
}

export interface Requirements {
  readonly slots: number;
  readonly memoryMb: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface JobSpec {
  readonly name: string;
  readonly handler: string;
  /** JSON text; null: none. Never parsed on its way to the handler. */
  readonly payload: string | null;
  readonly schedule: Schedule;
  readonly bounds: Bounds;
  /** An occurrence is due up to so many milliseconds after its time. */
  readonly jitterMs: number;
  readonly misfire: Misfire;
  readonly overlap: Overlap;
  /** How long after its due time an occurrence is still worth starting; null: however late. */
  readonly deadlineMs: number | null;
  /** Higher is given out first. */
  readonly priority: number;
  /** Time limit of an attempt; null: none. */
  readonly timeoutMs: number | null;
  readonly retry: RetryPolicy;
  readonly requirements: Requirements;
  readonly idempotencyKey: string | null;
  readonly keyLife: KeyLife;
  /**
   * The first occurrence of a schedule that replaced another one: it comes next, whatever occurrence
   * of the old schedule ends before it. Unset on a job that still has the schedule it was added with.
   */
  readonly startsAt?: number;
  /** The job is paused, or, while an attempt runs, is to be paused when that has ended. */
  readonly isPausing?: true;
  /** Said when it is added or changed, and not stored: to be accepted though no node has ever offered its handler. */
  readonly allowsUnknownHandler?: true;
  /** When it was last resumed: occurrences up to then fell due while it was paused. */
  readonly resumedAt?: number;
}

/**
 * As stored. PREPARED is not among them: it is derived (waiting and due).
 * The numbers are the proto's, and those in the database.
 */
export const STORED_STATUS = {
  WAITING: 1,
  RUNNING: 3,
  PAUSED: 4,
  SUCCEEDED: 5,
  FAILED: 6,
  CANCELLED: 7,
} as const;
export type StoredStatus = (typeof STORED_STATUS)[keyof typeof STORED_STATUS];

/** Whether a job will change no more by itself. */
export function hasEnded({ status }: { readonly status: StoredStatus }): boolean {
  const { SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;
  return status === SUCCEEDED || status === FAILED || status === CANCELLED;
}

/** How a claim ended. The numbers are the proto's, and those in the database. */
export const OUTCOME = { SUCCEEDED: 1, FAILED: 2, TIMED_OUT: 3, CANCELLED: 4, LOST: 5, SKIPPED: 6 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** `at` of a job that is not due at any time: the far end of the hot index. */
export const NEVER = Number.MAX_SAFE_INTEGER;

const FAR = 2 ** 52;

/** `at` of a job that ended then: past all that is due, in the order in which retention looks for them. */
export function farEnd(endedAt: number): number {
  return FAR + endedAt;
}

/** Whether a job with this `at` is due at any time. */
export function isEverDue(at: number): boolean {
  return at < FAR;
}

/** Where a job stands in its occurrences: what a claim starts from and a result changes. */
export interface OccurrenceState {
  readonly status: StoredStatus;
  /** When it is due (also while it runs: a claim does not move it); `farEnd` once it has ended, NEVER while it is paused. */
  readonly at: number;
  /** The current occurrence: differs from `at` between retries. */
  readonly scheduledAt: number;
  /** Tries of the current occurrence so far, LOST ones too. */
  readonly attempt: number;
  /** Of those, the failed ones that count against `maxAttempts`. */
  readonly failures: number;
  /** LOST in a row, over occurrences. */
  readonly lost: number;
  /** When its newest claim that has ended did so; 0: none has. */
  readonly endedAt: number;
}

/** What a node must have to take a job, under the small number that stands for it. */
export interface JobClass {
  readonly id: number;
  readonly handler: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A row of `jobinfo`. */
export interface JobRecord extends OccurrenceState {
  readonly id: number;
  readonly classId: number;
  /** The number of the newest claim; 0: never claimed. */
  readonly claim: number;
  /** Goes up with each change by a caller. */
  readonly revision: number;
  /** The number of the node that has the newest claim; 0: nobody. */
  readonly node: number;
  /** The job that this one is an occurrence of; 0: none. */
  readonly parentId: number;
  readonly createTime: number;
  readonly updateTime: number;
  readonly spec: JobSpec;
}

/** What a handler threw. */
export interface JobError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** A row of `jobresult`: how the claim (jobId, claim) ended. */
export interface ResultRecord {
  readonly jobId: number;
  readonly claim: number;
  /** Came after the final row, and counts for nothing. */
  readonly late: boolean;
  readonly outcome: Outcome;
  readonly attempt: number;
  readonly scheduledAt: number;
  /** When the handler was called; for a claim that never ran, when the claim ended. */
  readonly startTime: number;
  readonly endTime: number;
  /** When the occurrence is tried again; null: this row ended it. */
  readonly retryAt: number | null;
  /** The number of the node that had the claim; 0: nobody. */
  readonly node: number;
  /** Why that node; empty: nobody had it. */
  readonly placement: string;
  /** JSON text; null: none. */
  readonly output: string | null;
  readonly error: JobError | null;
  /** Why skipped, cancelled or lost; empty otherwise. */
  readonly reason: string;
  /** Of a run of skips: the last occurrence; null: just the one. */
  readonly skippedThrough: number | null;
  /** How many occurrences were skipped; 0 unless SKIPPED. */
  readonly skippedCount: number;
}
