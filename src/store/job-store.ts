/**
 * The database, as the rest of the project sees it: the one truth about jobs and results.
 *
 * Promises of every adapter (checked by the conformance suite):
 * - Every method that takes an `epoch` is fenced: it checks the epoch in the same statement that
 *   writes, and throws `stale_epoch`, having written nothing, once another epoch has begun.
 * - Every write is durable when its promise resolves, and is one autocommit statement (or, with
 *   keys, one packet): no transaction ever waits for this process.
 * - A cut connection is repeated with the identical write within the adapter's time limit; if the
 *   outcome stays unknown the method throws `unavailable`. Repeating any call is safe.
 * - A write that is guarded says how many rows it hit; what it missed is for the caller to read back.
 */
import type { AuditEnd, AuditFilter, AuditKey, AuditRecord } from "../core/audit/audit-record.ts";
import type {
  JobClass,
  JobRecord,
  OccurrenceState,
  Outcome,
  ResultRecord,
  StoredStatus,
} from "../core/job.ts";
import type { LogChunk, NumberedLine } from "../core/log/log-line.ts";
import type { Silence } from "../core/readiness/silence.ts";
import type { ResultAge } from "../core/state/retention.ts";

export interface StoredMastership {
  /** 0 before the first election. */
  readonly epoch: number;
  /** It names the process that advanced the epoch; empty before the first. */
  readonly incarnation: string;
}

/** Which time zone data the cluster has known. Versions are compared as text: "2026c" < "2026f". */
export interface ZoneVersions {
  /** The newest that a node has had; empty: none yet. */
  readonly newest: string;
  /** By which all waiting occurrences were computed; empty: by different ones, or nobody knows. */
  readonly computed: string;
}

/** Where a master listens, and by which lock it was elected. */
export interface Reign {
  readonly address: string;
  readonly lockKey: string;
}

/** Whose database it is. */
export interface ClusterRecord extends Reign {
  /** Made with the schema, for people to tell clusters apart; a copy of the database has the same one. */
  readonly identity: string;
}

/** A process that has been in the cluster. Rows refer to it by its number. */
export interface NodeRecord {
  readonly number: number;
  readonly incarnation: string;
  readonly nodeId: string;
  /** Since when no master has answered it, in cluster time; null: one may have. */
  readonly unheardSince: number | null;
}

/** A handler that nodes have offered. */
export interface HandlerRecord {
  readonly name: string;
  /** When one last did, in cluster time: not earlier. */
  readonly lastOffered: number;
}

/** A set of jobs that code describes. */
export interface JobSetRecord {
  readonly name: string;
  /** Of the description that it has; null: that said none. */
  readonly generation: number | null;
  /** The names of its jobs. */
  readonly jobs: readonly string[];
}

export interface UnheardNote {
  readonly number: number;
  /** Null: withdraws what was noted. */
  readonly since: number | null;
}

/** A key under which jobs were added. */
export interface JobKey {
  /** It has up to 255 bytes; what kind of key it is, is part of it. */
  readonly key: string;
  /** The job; for the key of a whole call, the first id of its block. */
  readonly jobId: number;
  /** Epoch milliseconds after which the key is free; NEVER: as long as the job is kept. */
  readonly expiresAt: number;
  /** What was asked for under it, for the master to compare with. */
  readonly digest?: Uint8Array;
}

/** What is stored under a key that is taken. */
export interface TakenKey {
  readonly jobId: number;
  /** Empty: there is nothing to compare with. */
  readonly digest: Uint8Array;
}

/** The next id that will be reserved, as it was and as it is now. */
export interface RaisedIds {
  readonly from: number;
  readonly to: number;
}

export interface ClaimRef {
  readonly jobId: number;
  readonly claim: number;
}

/** Guard of a claim: the row must be WAITING (or PAUSED, for a claim of nobody), with this newest claim and revision. */
export interface ClaimWrite {
  readonly jobId: number;
  /** The new claim's number: the row must still be at the one before. */
  readonly claim: number;
  readonly revision: number;
}

/**
 * Brings `jobinfo` in line with the final row of a claim. Guard: RUNNING, this claim and revision.
 * Of a job that has ended, `scheduledAt` is the one that it had.
 */
export interface Projection extends OccurrenceState {
  readonly jobId: number;
  readonly claim: number;
  readonly revision: number;
  readonly updateTime: number;
}

/** A caller's change of one job. Guard: claim, revision and status as read. */
export interface JobChange {
  readonly jobId: number;
  readonly guard: { readonly claim: number; readonly revision: number; readonly status: StoredStatus };
  /** The row after the change. `id`, `claim`, `node`, `parentId` and `createTime` stay as they are. */
  readonly row: JobRecord;
}

/** What became of a result row. */
export type ResultWrite =
  /** It is the final row of its claim (or was already, from an earlier try of this same write). */
  | "first"
  /** Another row was there first; this one is kept beside it, late (or dropped: LOST, CANCELLED). */
  | "late";

/** A position in the hot index, exclusive. */
export interface Cursor {
  readonly at: number;
  readonly id: number;
}

export interface JobPage {
  /** WAITING and RUNNING jobs, by (at, id). A payload over `maxPayloadBytes` is left out: see `payloadLoaded`. */
  readonly jobs: readonly LoadedJob[];
  /** Where the next page starts; null: all rows up to `through` were read. */
  readonly next: Cursor | null;
}

export interface LoadedJob {
  readonly record: JobRecord;
  readonly payloadLoaded: boolean;
}

/** Jobs that have ended, in the order in which they did. */
export interface EndedJobPage {
  readonly jobs: readonly { readonly id: number; readonly at: number; readonly status: StoredStatus }[];
  /** Where the next page starts; null: all were read. */
  readonly next: Cursor | null;
}

/** Result rows by (jobId, claim) upwards; all rows of a claim are on one page. */
export interface ResultAgePage {
  readonly rows: readonly ResultAge[];
  /** Where the next page starts, exclusive; null: all were read. */
  readonly next: ClaimRef | null;
}

export interface JobFilter {
  readonly status?: StoredStatus;
  /** With `status` WAITING, only those match that are due by then, or only those that are due later. */
  readonly dueBy?: number;
  readonly dueAfter?: number;
  readonly handler?: string;
  readonly namePrefix?: string;
  /** Only children of this job. */
  readonly parentId?: number;
}

export interface ResultFilter {
  readonly jobId?: number;
  readonly outcome?: Outcome;
}

export interface ListPage<T, K> {
  readonly items: readonly T[];
  /** Where the next page starts, exclusive; null: nothing is left. */
  readonly next: K | null;
}

export interface JobStore {
  /**
   * Creates or migrates the schema under a database lock, and proves that the fence works.
   * Throws `failed_precondition` when the schema is too new or the fence does not hold.
   */
  migrate(): Promise<void>;
  close(): Promise<void>;

  /** How long no write has been done, nor a probe answered. */
  silence(): Silence;
  /**
   * Asks for no more than an answer to a write, of nothing, so that a server that takes no writes is told, too. One
   * try, which takes a few seconds at most where nobody answers. Never throws: `silence` has what came of it.
   */
  probe(): Promise<void>;

  /** The database's clock, epoch milliseconds. */
  readClock(): Promise<number>;
  readMastership(): Promise<StoredMastership>;
  /** Compare-and-set. False: the epoch is no longer `from`. After an unknown outcome it knows its own by the incarnation. */
  advanceEpoch(from: number, to: StoredMastership): Promise<boolean>;
  readCluster(): Promise<ClusterRecord>;
  /** What nodes that share the database prove themselves by; made with the schema, 64 hexadecimal digits. */
  readSecret(): Promise<string>;
  /** By the master, after its election: where it is found. */
  announceReign(epoch: number, reign: Reign): Promise<void>;

  readZoneVersions(): Promise<ZoneVersions>;
  /** Raises `newest`. Not fenced: any node does it, and no epoch depends on it. */
  offerZoneData(version: string): Promise<void>;
  /** All waiting occurrences are computed by this version from now on; empty: not all by one. */
  setZonesComputed(epoch: number, version: string): Promise<void>;

  /**
   * Once in each epoch, before ids are reserved in it: sees to it that none is that is there already, as in a database
   * that was restored from a dump whose tables are of different moments. Null: nothing had to be done.
   */
  raiseIds(epoch: number): Promise<RaisedIds | null>;
  /** The first of `count` new ids that nobody else gets. */
  reserveIds(epoch: number, count: number): Promise<number>;
  readClasses(): Promise<JobClass[]>;
  /** Repeating it with the same class is safe. */
  addClass(epoch: number, jobClass: JobClass): Promise<void>;
  readNodes(): Promise<NodeRecord[]>;
  /** A process enters itself, once, before it joins a master. Returns its number, the same each time. Not fenced: it is no master's write. */
  registerNode(incarnation: string, nodeId: string): Promise<number>;
  /** The number of a process that has entered itself; null: it has not, in this database. */
  findNode(incarnation: string): Promise<number | null>;
  noteUnheard(epoch: number, notes: readonly UnheardNote[]): Promise<void>;
  readHandlers(): Promise<HandlerRecord[]>;
  /** A time that is earlier than the one that is there changes nothing. */
  noteHandlers(epoch: number, handlers: readonly HandlerRecord[]): Promise<void>;
  /** Removes those of them that were last offered by then. */
  forgetHandlers(epoch: number, names: readonly string[], by: number): Promise<void>;

  /** Null: there is no such set. */
  readJobSet(name: string): Promise<JobSetRecord | null>;
  keepJobSet(epoch: number, set: JobSetRecord): Promise<void>;

  /**
   * Inserts all jobs or none; repeating it is safe (same ids). Throws `key_taken` when a key is
   * taken, `invalid_argument` when the database refuses a row: split the batch to find which.
   */
  insertJobs(epoch: number, jobs: readonly JobRecord[], keys: readonly JobKey[]): Promise<void>;
  /** The keys that are taken: not expired, and of a job that is still there. Frees (deletes) the others asked for. */
  readKeys(epoch: number, keys: readonly string[], now: number): Promise<Map<string, TakenKey>>;
  /** Deletes those of the keys that still name that job. */
  freeKeys(epoch: number, keys: readonly { readonly key: string; readonly jobId: number }[]): Promise<void>;

  readJobs(ids: readonly number[]): Promise<Map<number, JobRecord>>;
  /** Reads at most `limit` rows of the hot index for one class, from `after` to `through`, inclusive. */
  pageJobs(query: {
    readonly classId: number;
    readonly after: Cursor | null;
    readonly through: number;
    readonly limit: number;
    readonly maxPayloadBytes: number;
  }): Promise<JobPage>;
  /** Sets RUNNING, claim, attempt + 1, node (0: nobody, to skip or cancel an occurrence). Returns how many rows the guard let through. */
  claimJobs(epoch: number, node: number, claims: readonly ClaimWrite[], now: number): Promise<number>;

  /** Writes a node's results. It is not fenced: the claim is the guard. Returns an outcome for each row, in their order. */
  writeResults(rows: readonly ResultRecord[]): Promise<ResultWrite[]>;
  /** Writes a master's rows (LOST, SKIPPED, CANCELLED), fenced. A row that is not first is dropped. */
  writeFinalRows(epoch: number, rows: readonly ResultRecord[]): Promise<ResultWrite[]>;
  /** The final rows of these claims, keyed by jobId. */
  readFinalRows(claims: readonly ClaimRef[]): Promise<Map<number, ResultRecord>>;
  /** Only the writer of the first row calls it, or with its `epoch` the master. Returns which applied, in their order. */
  projectJobs(projections: readonly Projection[], epoch?: number): Promise<boolean[]>;

  /** False: the guard missed, nothing was written. */
  changeJob(epoch: number, change: JobChange): Promise<boolean>;
  /** Stores a key of no new job; of one that is there, the life is prolonged. */
  keepKey(epoch: number, key: JobKey): Promise<void>;
  /** Removes the job and its keys; results stay. False: the guard missed. */
  deleteJob(epoch: number, jobId: number, guard: JobChange["guard"]): Promise<boolean>;

  /** Newest (highest id) first; scans a bounded number of rows. `before`: exclusive. */
  listJobs(
    filter: JobFilter,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<ListPage<JobRecord, number>>;
  /**
   * Counts up to `limit`. With a filter it scans a bounded number of rows, the newest, so that the
   * number is a lower bound when there are more.
   */
  countJobs(filter: JobFilter, limit: number): Promise<number>;
  /** Reads by (jobId, claim) downwards, final before late; scans a bounded number of rows. */
  listResults(
    filter: ResultFilter,
    page: { readonly before: ResultKey | null; readonly limit: number },
  ): Promise<ListPage<ResultRecord, ResultKey>>;

  /** Stores what attempts said; repeating it with the same chunks is safe. Not fenced: it is no state of anything. */
  writeLog(chunks: readonly LogChunk[]): Promise<void>;
  /** What was said under a claim after the line of this number; all of it, as it is bounded. */
  readLog(claim: ClaimRef, after: number): Promise<NumberedLine[]>;
  /** The job's newest claim under which anything was said; null: there is none. */
  newestLogged(jobId: number): Promise<number | null>;

  /**
   * Stores records of the audit; repeating it with the same ones is safe. With an `epoch` it is fenced; without, any process tells what
   * is true whoever is master.
   */
  writeAudit(records: readonly AuditRecord[], epoch?: number): Promise<void>;
  /** Completes a record. Not fenced: what was done was done, whoever is master by now. */
  endAudit(key: AuditKey, end: AuditEnd): Promise<void>;
  /** Newest first; scans a bounded number of rows. `before`: exclusive. */
  listAudit(
    filter: AuditFilter,
    page: { readonly before: AuditKey | null; readonly limit: number },
  ): Promise<ListPage<AuditRecord, AuditKey>>;

  // Retention. Nothing below reads or removes more rows than asked, so that it holds no lock for long.

  /** Jobs of one class that ended by then, at most `limit`. */
  pageEnded(query: {
    readonly classId: number;
    readonly after: Cursor | null;
    readonly endedBy: number;
    readonly limit: number;
  }): Promise<EndedJobPage>;
  /** Removes those of the jobs that still have one of the statuses and ended by then; returns how many. Their results and keys stay. */
  expireJobs(
    epoch: number,
    expired: {
      readonly ids: readonly number[];
      readonly statuses: readonly StoredStatus[];
      readonly endedBy: number;
    },
  ): Promise<number>;
  /** Removes results, and what was said, of those of the jobs that are gone, of about `limit` claims; returns of how many. Fewer than `limit`: none are left. */
  expireResultsOfGone(epoch: number, jobIds: readonly number[], limit: number): Promise<number>;
  /** Rows by (jobId, claim) upwards; `limit`: at least 2, so that both rows of a claim fit. */
  pageResultAges(after: ClaimRef | null, limit: number): Promise<ResultAgePage>;
  /** Removes the rows of these claims that ended by then, and what was said under them; returns how many rows. The caller has seen that none is an existing job's newest. */
  expireResults(epoch: number, claims: readonly ClaimRef[], endedBy: number): Promise<number>;
  /** Looks at `limit` keys after `after`, and removes those that expired by then or whose job is gone. `next`: where to go on; null: that was the last. */
  expireKeys(
    epoch: number,
    page: { readonly after: string | null; readonly expiredBy: number; readonly limit: number },
  ): Promise<{ readonly removed: number; readonly next: string | null }>;
  /** Of the audit, newest first: the record after `rows - 1` others below `before`; null: there are fewer. */
  skipAudit(before: AuditKey | null, rows: number): Promise<AuditKey | null>;
  /** Removes the oldest records at or below `through`; returns how many. Fewer than `limit`: none are left. */
  expireAudit(epoch: number, through: AuditKey, limit: number): Promise<number>;
}

export interface ResultKey {
  readonly jobId: number;
  readonly claim: number;
  readonly late: boolean;
}
