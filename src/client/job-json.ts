/**
 * What goes into and comes out of the client: the API's messages in protobuf JSON, so that code, `curl`
 * and the docs all show the same thing. Durations are seconds with an s ("10s", "0.25s"), ids are
 * strings, instants are ISO 8601. The messages and their defaults are described in `proto/`.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Protobuf's duration: seconds, up to nine decimals, and an s. */
export type Duration = `${number}s`;

/** ISO 8601 text, or what becomes it: a `Date`, a `Temporal.Instant`. */
export type InstantInput = string | { toJSON(): string };

export type JobStatus =
  | "JOB_STATUS_UNSPECIFIED"
  | "JOB_STATUS_WAITING"
  | "JOB_STATUS_PREPARED"
  | "JOB_STATUS_RUNNING"
  | "JOB_STATUS_PAUSED"
  | "JOB_STATUS_SUCCEEDED"
  | "JOB_STATUS_FAILED"
  | "JOB_STATUS_CANCELLED";

export type Outcome =
  | "OUTCOME_UNSPECIFIED"
  | "OUTCOME_SUCCEEDED"
  | "OUTCOME_FAILED"
  | "OUTCOME_TIMED_OUT"
  | "OUTCOME_CANCELLED"
  | "OUTCOME_LOST"
  | "OUTCOME_SKIPPED";

/** At most one of these; none means immediate. The server refuses two at once. */
export interface ScheduleInput {
  readonly immediate?: Record<string, never>;
  readonly timed?: { readonly runAt: InstantInput } | { readonly delay: Duration };
  readonly daily?: {
    readonly at: string;
    readonly timeZone?: string;
    readonly gap?: "GAP_RUN_AFTER" | "GAP_SKIP";
    readonly fold?: "FOLD_FIRST" | "FOLD_LAST" | "FOLD_BOTH";
  };
  readonly cron?: { readonly expression: string; readonly timeZone?: string };
}

export interface JobFields extends ScheduleInput {
  readonly name?: string;
  readonly payload?: Json;
  readonly startAt?: InstantInput;
  readonly endAt?: InstantInput;
  readonly maxOccurrences?: number;
  readonly jitter?: Duration;
  readonly misfire?: "MISFIRE_ONCE" | "MISFIRE_SKIP" | "MISFIRE_ALL";
  readonly overlap?: "OVERLAP_WAIT" | "OVERLAP_SKIP" | "OVERLAP_ALLOW";
  /** How long after its due time an occurrence is still worth starting. */
  readonly deadline?: Duration;
  readonly priority?: number;
  readonly timeout?: Duration;
  readonly retry?: {
    readonly maxAttempts?: number;
    readonly initialBackoff?: Duration;
    readonly maxBackoff?: Duration;
    readonly multiplier?: number;
  };
  readonly requirements?: {
    readonly slots?: number;
    readonly memoryMb?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** How long an idempotency key names its job: the one or the other. */
export interface KeyFields {
  readonly keyLife?: "KEY_LIFE_KEPT" | "KEY_LIFE_UNFINISHED";
  readonly keyTtl?: Duration;
}

export interface AddJobInput extends JobFields, KeyFields {
  readonly handler: string;
  /** The same key returns the same job, for as long as `keyLife` or `keyTtl` says: by default, as the job is kept. */
  readonly idempotencyKey?: string;
}

export interface AddedJob {
  readonly jobId: string;
  /** False when a job with the same key was there already. */
  readonly created: boolean;
  readonly nextRunAt?: string;
}

export interface UpdateJobInput {
  readonly jobId: string;
  readonly job: JobFields & { readonly handler?: string };
  /** The fields to change, separated by commas; without it, those that `job` sets. */
  readonly updateMask?: string;
  /** Change the job only if it is still at this revision. */
  readonly revision?: number;
}

export interface Job extends JobFields {
  readonly jobId: string;
  readonly name: string;
  readonly handler: string;
  readonly idempotencyKey: string;
  readonly status: JobStatus;
  readonly attempt: number;
  readonly revision: number;
  readonly nextRunAt?: string;
  readonly nodeId: string;
  readonly reason: string;
  readonly createTime?: string;
  readonly updateTime?: string;
  /** The job that this one is an occurrence of; empty: none. */
  readonly parentId: string;
}

export interface JobResult {
  readonly jobId: string;
  readonly scheduledAt?: string;
  readonly attempt: number;
  readonly claim: number;
  readonly outcome: Outcome;
  readonly output?: Json;
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string };
  /** Absent: this result ended the occurrence. */
  readonly retryAt?: string;
  readonly nodeId: string;
  readonly placement: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly late: boolean;
  readonly reason: string;
  readonly skippedThrough?: string;
  readonly skippedCount: number;
}

export interface JobState {
  readonly job: Job;
  /** Absent: no claim of the job has ended yet. */
  readonly lastResult?: JobResult;
}

export interface JobQuery {
  readonly status?: JobStatus;
  readonly handler?: string;
  readonly namePrefix?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly withTotal?: boolean;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Empty: this was the last page. */
  readonly nextPageToken: string;
  readonly totalSize: number;
}

export interface ResultQuery {
  readonly jobId?: string;
  readonly outcome?: Outcome;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface ResultPage {
  readonly results: readonly JobResult[];
  /** Empty: this was the last page. */
  readonly nextPageToken: string;
}

export interface PreviewInput extends ScheduleInput {
  readonly after?: InstantInput;
  readonly count?: number;
}

export interface Preview {
  readonly occurrences: readonly { readonly time: string; readonly note: string }[];
  readonly timeZoneData: string;
}

export interface Cluster {
  readonly masterNodeId: string;
  readonly masterAddress: string;
  readonly epoch: number;
  readonly nodes: readonly {
    readonly nodeId: string;
    readonly address: string;
    readonly slots: number;
    readonly usedSlots: number;
    readonly handlers: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
    readonly cpu: number;
    readonly freeMemoryMb: number;
    readonly draining: boolean;
  }[];
  readonly waiting: number;
  readonly prepared: number;
  readonly running: number;
}
