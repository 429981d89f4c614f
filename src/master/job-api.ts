/**
 * What a master does for callers. Everything throws `ElasticJobError`; `unavailable` when the
 * mastership ends under a call, whose outcome is then unknown to the caller.
 */
import type { MasterStream, StreamHandler } from "../coordination/network.ts";
import type { AuditRecord } from "../core/audit/audit-record.ts";
import type { Caller } from "../core/callers/caller.ts";
import { ElasticJobError } from "../core/errors.ts";
import type { JobRecord, JobSpec, ResultRecord } from "../core/job.ts";
import type { Progress } from "../core/log/progress.ts";
import type { RawJobSpec } from "../core/spec/raw-job-spec.ts";

export interface AddedJob {
  readonly jobId: number;
  /** False: a job with this key was there already. */
  readonly created: boolean;
  readonly nextRunAt: number;
  /** Why it will wait beyond that; unset: nothing is known to hold it up. */
  readonly reason?: string;
}

/** What becomes of a job of a call; an error: it is not added. */
export type AddOutcome = AddedJob | ElasticJobError;

/** A job of a call. */
export interface AddItem {
  /** Or why it is refused: it keeps its place, so that the others keep their ids when the call is made again. */
  readonly spec: JobSpec | ElasticJobError;
  /** What the caller sent: an add under a key that is taken is compared with the one that took it. */
  readonly asked: RawJobSpec;
}

/** What the job that a key names is to be. Both throw what is wrong with the description. */
export interface JobDescription {
  readonly key: string;
  /** Where there is none. */
  readonly added: () => { readonly spec: JobSpec; readonly asked: RawJobSpec };
  /** Of the one that is there: the very same object, if it is so already. */
  readonly changed: (before: JobSpec) => JobSpec;
}

export type PutJob =
  | { readonly kind: "created"; readonly added: AddedJob }
  | { readonly kind: "updated" | "unchanged"; readonly view: JobView };

/** What a set of jobs is to be. */
export interface SetDescription {
  readonly set: string;
  readonly generation: number | null;
  /** An error: what is wrong with the description of this one. */
  readonly jobs: readonly { readonly name: string; readonly described: JobDescription | ElasticJobError }[];
  /** What the set had and does not name any more is left alone. */
  readonly keepsMissing: boolean;
}

/** What became of a job of a set; an error: it is as it was. */
export type SetJobOutcome = PutJob | { readonly kind: "deleted"; readonly jobId: number } | ElasticJobError;

export interface PutSet {
  /** False: the set is of a newer generation, and nothing was changed. */
  readonly isApplied: boolean;
  /** The one that the set is of now. */
  readonly generation: number | null;
  readonly outcomes: readonly { readonly name: string; readonly outcome: SetJobOutcome }[];
}

/** Which of the jobs that are added under a key. */
export interface KeyPart {
  /** How many there are in all. */
  readonly jobs: number;
  /** The place of the call's first one. */
  readonly first: number;
}

/**
 * What a call's key is for: a part of its jobs, as many calls share it; only the retries of this call, as the node made it
 * that forwards the call; null: the caller's own. The last alone can name another call, which is told apart and refused.
 */
export type KeyUse = KeyPart | "retries" | null;

/** A change that a caller asks for, as the audit has it. */
export type AuditedChange = Pick<AuditRecord, "caller" | "method" | "jobId" | "nodeId" | "detail">;

/** What its record says besides, when it was made. */
export interface ChangeTold {
  /** A few words, never a payload. */
  readonly detail?: string;
  /** The job that it has added. */
  readonly addedJobId?: number;
}

/** A job as callers see it. */
export interface JobView {
  readonly record: JobRecord;
  /** Waiting and due. */
  readonly prepared: boolean;
  /** Why it waits, where that is not plain; empty otherwise. */
  readonly reason: string;
  readonly lastResult: ResultRecord | null;
  /** How far the attempt is that runs; unset: it has not said. */
  readonly progress?: Progress;
}

/** What a job asks of a node. Jobs that ask the same wait for the same reason. */
export interface PreparedNeed {
  readonly handler: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly memoryMb: number;
  /** It is not due yet: then only what it will wait for in any case is a reason. */
  readonly isLater: boolean;
}

export function needOf({ handler, requirements }: JobSpec, isLater = false): PreparedNeed {
  return { handler, ...requirements, isLater };
}

export interface ClusterView {
  readonly epoch: number;
  readonly nodes: readonly NodeView[];
  readonly waiting: number;
  readonly prepared: number;
  readonly running: number;
}

/** Jobs that the master's memory leaves out. */
export interface BeyondMemoryView {
  /** Due, of classes that no connected node can take; null: not known. */
  readonly stuck: number | null;
  /** Due later than memory reaches; null: not known. */
  readonly later: number | null;
}

export interface NodeView {
  readonly nodeId: string;
  readonly address: string;
  readonly slots: number;
  readonly usedSlots: number;
  readonly handlers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** 0 to 1 of the node's size. */
  readonly cpu: number;
  readonly freeMemoryMb: number;
  readonly draining: boolean;
  /** The version of the time zone data that it computes with. */
  readonly timeZoneData: string;
}

/** A handler as some connected nodes have it. */
export interface HandlerForm {
  /** JSON Schema; empty: they do not say. */
  readonly payloadSchema: string;
  readonly outputSchema: string;
  readonly nodes: number;
  /** The first of them, by name. */
  readonly nodeIds: readonly string[];
}

export interface HandlerView {
  readonly name: string;
  /** Cluster time, in epoch milliseconds. */
  readonly lastOffered: number;
  readonly forms: readonly HandlerForm[];
}

export interface HandlerPage {
  readonly handlers: readonly HandlerView[];
  readonly hasMore: boolean;
}

export interface JobApi {
  /**
   * Adds each job on its own: one that is refused leaves the others alone. With `callKey`, the same
   * call made again within an hour returns the same jobs, also those that would be refused by now; jobs that differ from
   * those of the first call are `already_exists`.
   */
  addJobs(items: readonly AddItem[], callKey: string | null, use?: KeyUse): Promise<AddOutcome[]>;
  /**
   * `change` makes the new spec of the present one (it may throw); it can be called more than once. If it returns the
   * same object, nothing is written.
   */
  updateJob(jobId: number, revision: number | null, change: (spec: JobSpec) => JobSpec): Promise<JobView>;
  /** Makes the job of a key be as described. */
  putJob(described: JobDescription): Promise<PutJob>;
  /** Makes a set of jobs be as described, unless a newer generation is there. */
  putSet(described: SetDescription): Promise<PutSet>;
  /** The job as it was. */
  deleteJob(jobId: number): Promise<JobRecord>;
  pauseJob(jobId: number): Promise<JobView>;
  resumeJob(jobId: number): Promise<JobView>;
  /** `scheduledAt`: only this occurrence; null: whichever is the current one. */
  cancelJob(jobId: number, scheduledAt: number | null): Promise<JobView>;
  retryJob(jobId: number): Promise<JobView>;
  /** The job that runs now, as a child of this one. With `callKey`, the same call made again returns the same one. */
  triggerJob(jobId: number, callKey: string | null): Promise<JobView>;
  /** Makes a change with its record: that is stored before, or nothing is done, and says afterwards what came of it. */
  audited<T>(change: AuditedChange, make: () => Promise<T> | T, tell?: (result: T) => ChangeTold): Promise<T>;
  /** Notes in the audit what a caller has added; within a second it is stored. */
  noteAdded(caller: Caller, items: readonly AddItem[], outcomes: readonly AddOutcome[]): void;
  readJob(jobId: number): Promise<JobView>;
  /** The present state, then each change, until the job has ended or is gone, or `signal` aborts. */
  watchJob(jobId: number, signal: AbortSignal): AsyncIterable<JobView>;
  /** What due times are in: this process's own wall clock may be minutes off. */
  clusterTime(): number;
  /** Why such a job, due, has not been given out; empty: it is about to be. */
  whyPrepared(need: PreparedNeed): string;
  readCluster(): ClusterView;
  /** By name, those after this one; fewer than `limit` where their schemas are large. */
  readHandlers(after: string, limit: number): HandlerPage;
  readBeyondMemory(): Promise<BeyondMemoryView>;
  /** Throws `not_found` when no connected node has this name. */
  drainNode(nodeId: string): void;
  /** Whether a process has entered itself in this master's database: no other's forwarded calls are taken. */
  sharesDatabase(incarnation: string): Promise<boolean>;
  /** Throws `not_found` likewise. */
  undrainNode(nodeId: string): void;
  /** Takes in a stream that a node opened. */
  acceptNode(stream: MasterStream): StreamHandler;
}

export function jobNotFound(jobId: number): ElasticJobError {
  return new ElasticJobError("not_found", `jobId: there is no job ${jobId}`);
}
