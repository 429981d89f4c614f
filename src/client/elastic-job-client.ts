/** What the client offers: the one that is loaded at once, and the one that is loaded when it is first called. */
import type { ConnectError, Transport } from "@connectrpc/connect";
import type { Contract } from "../contract/contract.ts";
import type { Adding, AddOptions } from "./adding.ts";
import type { Described, HandlerNames, OutputOf, PayloadOf } from "./handler-types.ts";
import type {
  AddedJob,
  AddJobInput,
  AuditPage,
  AuditQuery,
  AuditRecord,
  Cluster,
  HandlerPage,
  HandlerQuery,
  InstantInput,
  Job,
  JobLogLine,
  JobLogPage,
  JobLogQuery,
  JobPage,
  JobQuery,
  JobResult,
  JobState,
  OfferedHandler,
  Preview,
  PreviewInput,
  PutJob,
  PutJobInput,
  ResultPage,
  ResultQuery,
  UpdatedJob,
  UpdateJobInput,
} from "./job-json.ts";

/** Where to connect: an address of an edge or a node, or a Connect transport of your own. */
export type ClientOptions<D extends Described = Contract> = (
  | { readonly baseUrl: string }
  | { readonly transport: Transport }
) & {
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** What a call may take, retries included; default 10,000. */
  readonly timeoutMs?: number;
  /** False: fail at once when nothing answers at the address; default true, try until the deadline. */
  readonly retryUnreachable?: boolean;
  /** Most jobs that concurrent `addJob` calls send together, up to 10,000; default 1,000. */
  readonly maxBatchJobs?: number;
  /** Payloads of what is added are checked by it. */
  readonly contract?: D;
  /** For tests: what `Math.random` returns. */
  readonly random?: () => number;
};

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** What this call may take, retries included; default: the client's. */
  readonly timeoutMs?: number;
}

export interface CancelOptions extends CallOptions {
  /** Cancels only the occurrence of this time. */
  readonly scheduledAt?: InstantInput;
}

export interface WatchJobLogOptions extends CallOptions {
  /** Which of the job's claims; default: the one that runs, or is the next to run. */
  readonly claim?: number;
}

/** What became of one job of `addJobs`. */
export type AddOutcome = { readonly added: AddedJob } | { readonly error: ConnectError };

/**
 * Everything rejects with a `ConnectError`: `code` says what kind, `rawMessage` which field, `problemsOf(error)` the same field by field.
 * Codes: `docs` of `proto/public/elasticjob/v1/job_service.proto`.
 */
export interface ElasticJobClient<D extends Described = Contract> {
  /**
   * Adds a job for a handler that the client knows, by its contract or its types; `await` gives what `addJob` does, and `.result()` what
   * the handler returns. `options`: all else that a job can say.
   */
  add<Name extends HandlerNames<D>>(
    handler: Name,
    ...given: GivenTo<PayloadOf<D[Name]>>
  ): Adding<OutputOf<D[Name]>>;
  /** Adds a job; resolves after it is committed to the database. Concurrent calls share round trips. */
  addJob(job: AddJobInput): Promise<AddedJob>;
  /** Adds up to 10,000 jobs in one call, with an outcome for each, in order. */
  addJobs(jobs: readonly AddJobInput[], options?: CallOptions): Promise<AddOutcome[]>;
  /** Makes the job that the key names be as described: adds it, changes it, or leaves it as it is, and says which. */
  putJob(key: string, job: PutJobInput, options?: CallOptions): Promise<PutJob>;
  /** With `revision` it is tried again only if nothing was done: a second try could not tell its own success from another's. */
  updateJob(update: UpdateJobInput, options?: CallOptions): Promise<UpdatedJob>;
  deleteJob(jobId: string, options?: CallOptions): Promise<void>;
  pauseJob(jobId: string, options?: CallOptions): Promise<Job>;
  resumeJob(jobId: string, options?: CallOptions): Promise<Job>;
  /** Runs the job now, beside its schedule. Returns the new job, whose `parentId` is this one. */
  triggerJob(jobId: string, options?: CallOptions): Promise<Job>;
  /** Without `scheduledAt` it is tried again only if nothing was done: a second try would cancel the next occurrence too. */
  cancelJob(jobId: string, options?: CancelOptions): Promise<Job>;
  /** Runs a FAILED job again. */
  retryJob(jobId: string, options?: CallOptions): Promise<Job>;
  getJobStatus(jobId: string, options?: CallOptions): Promise<JobState>;
  /** One page. */
  getAllJobs(query?: JobQuery, options?: CallOptions): Promise<JobPage>;
  /** All pages, one job after another. */
  eachJob(query?: Omit<JobQuery, "pageToken">, options?: CallOptions): AsyncGenerator<Job, void>;
  /** One page. */
  getAllResult(query?: ResultQuery, options?: CallOptions): Promise<ResultPage>;
  /** All pages, one result after another. */
  eachResult(query?: Omit<ResultQuery, "pageToken">, options?: CallOptions): AsyncGenerator<JobResult, void>;
  previewSchedule(schedule: PreviewInput, options?: CallOptions): Promise<Preview>;
  /**
   * The job as it stands, then each change, until it has ended. It lasts as long as that takes and
   * survives failovers; leave the loop or abort `signal` to stop. `timeoutMs` bounds only how long
   * the cluster may be out of reach.
   */
  watchJob(jobId: string, options?: CallOptions): AsyncGenerator<JobState, void>;
  /** What an attempt has said: one page. */
  getJobLog(query: JobLogQuery, options?: CallOptions): Promise<JobLogPage>;
  /** All pages, one line after another. */
  eachLogLine(query: Omit<JobLogQuery, "pageToken">, options?: CallOptions): AsyncGenerator<JobLogLine, void>;
  /** What an attempt has said, then each line that it says, until it has ended. It survives failovers, as `watchJob` does. */
  watchJobLog(jobId: string, options?: WatchJobLogOptions): AsyncGenerator<JobLogLine, void>;
  getCluster(options?: CallOptions): Promise<Cluster>;
  /** The handlers that nodes offer, with what those take and give. One page. */
  getHandlers(query?: HandlerQuery, options?: CallOptions): Promise<HandlerPage>;
  /** All pages, one handler after another. */
  eachHandler(
    query?: Omit<HandlerQuery, "pageToken">,
    options?: CallOptions,
  ): AsyncGenerator<OfferedHandler, void>;
  /** The node takes no more jobs, lets its own end, and stays. */
  drainNode(nodeId: string, options?: CallOptions): Promise<void>;
  /** A drained node takes jobs again. */
  undrainNode(nodeId: string, options?: CallOptions): Promise<void>;
  /** What callers did, newest first; it takes the role `operate`. One page. */
  getAudit(query?: AuditQuery, options?: CallOptions): Promise<AuditPage>;
  /** All pages, one record after another. */
  eachAuditRecord(
    query?: Omit<AuditQuery, "pageToken">,
    options?: CallOptions,
  ): AsyncGenerator<AuditRecord, void>;
}

/** A payload that may be undefined may be left out. */
type GivenTo<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: AddOptions]
  : [payload: Payload, options?: AddOptions];

/** A transport whose streams carry requests and answers at the same time. */
export interface DuplexTransport extends Transport {
  readonly isDuplex: true;
}
