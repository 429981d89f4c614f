import type { AuditRetention } from "../core/audit/audit-record.ts";
import type { Clock } from "../core/clock.ts";
import type { ClusterTime } from "../core/cluster-time.ts";
import type { Logger } from "../core/logger.ts";
import type { Random } from "../core/random.ts";
import type { Silence } from "../core/readiness/silence.ts";
import type { Retention } from "../core/state/retention.ts";
import type { JobStore } from "../store/job-store.ts";

export interface MasterSettings {
  readonly lockTtlMs: number;
  readonly leaseMs: number;
  /** How far ahead of its time a job is read into memory. */
  readonly horizonMs: number;
  /** How many jobs memory holds, at most. */
  readonly maxJobsInMemory: number;
  /** After how many losses in a row an occurrence is FAILED. */
  readonly maxLost: number;
  readonly retention: Retention;
  readonly auditRetention: AuditRetention;
  /** One process, and no other: whatever was RUNNING when it starts is LOST. */
  readonly embedded: boolean;
  /** The version of the time zone data that this process computes with, such as 2026f. */
  readonly zoneData: string;
}

/** What all parts of one mastership share. */
export interface MasterContext {
  readonly epoch: number;
  readonly store: JobStore;
  readonly settings: MasterSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly time: ClusterTime;
  readonly logger: Logger;
  /** Aborts when the mastership ends. */
  readonly ended: AbortSignal;
  /** Monotonic time at which the epoch was known to be written. */
  readonly epochWrittenAt: number;
  /** Incarnations whose process this one has seen to be gone before it was elected: a master's, as a rule. */
  readonly knownGone: ReadonlySet<string>;
  /** Whether the lock is known to be still ours: without it nothing is claimed or taken over (G8). */
  trusted(): boolean;
  /** What keeps this master from answering adds; null: it answers them. */
  silence(): Silence | null;
  /** A write was refused because another epoch has begun: this mastership is over. */
  deposed(): void;
}
