import { sleep } from "../../core/clock.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import { hasEnded, type JobRecord, STORED_STATUS } from "../../core/job.ts";
import { unknownZoneOf } from "../../core/state/unknown-zone.ts";
import { whyStillRunning, whyWaiting } from "../../core/state/why-waiting.ts";
import type { MasterContext } from "../context.ts";
import { type JobView, jobNotFound, needOf } from "../job-api.ts";
import type { ChangedJobs } from "../memory/changed-jobs.ts";
import type { JobProgress } from "../memory/job-progress.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import type { KnownHandlers } from "../nodes/known-handlers.ts";
import { whyPrepared } from "./why-prepared.ts";

/** A watched job is read anew so often, whether or not a change was heard of. */
const REREAD_MS = 5000;
/** A handler has 0.5 s from its abort to its end; and then its node writes and tells. */
const ABORT_WAIT_MS = 1000;
/** Results of the newest claims that are looked at for the last one that counts. */
const NEWEST_RESULTS = 10;

/** Jobs as callers see them. */
export class JobReader {
  private readonly context: MasterContext;
  private readonly nodes: ConnectedNodes;
  private readonly known: KnownHandlers;
  private readonly changedJobs: ChangedJobs;
  private readonly progress: JobProgress;

  constructor(
    context: MasterContext,
    parts: {
      readonly nodes: ConnectedNodes;
      readonly known: KnownHandlers;
      readonly changedJobs: ChangedJobs;
      readonly progress: JobProgress;
    },
  ) {
    this.context = context;
    this.nodes = parts.nodes;
    this.known = parts.known;
    this.changedJobs = parts.changedJobs;
    this.progress = parts.progress;
  }

  async readJob(jobId: number): Promise<JobView> {
    const record = (await this.context.store.readJobs([jobId])).get(jobId);
    if (record === undefined) throw jobNotFound(jobId);
    return this.view(record);
  }

  async view(record: JobRecord): Promise<JobView> {
    const page = await this.context.store.listResults(
      { jobId: record.id },
      { before: null, limit: NEWEST_RESULTS },
    );
    const prepared = record.status === STORED_STATUS.WAITING && record.at <= this.context.time.now();
    const lastResult = page.items.find(({ late }) => !late) ?? null;
    const whyNotTaken = () =>
      record.status === STORED_STATUS.WAITING
        ? whyPrepared(this.nodes.all(), needOf(record.spec, !prepared), this.known)
        : "";
    const zone = record.status === STORED_STATUS.WAITING ? unknownZoneOf(record.spec) : null;
    const reason =
      zone ??
      (prepared ? whyNotTaken() : whyWaiting(record) || whyStillRunning(record, lastResult) || whyNotTaken());
    const progress = record.status === STORED_STATUS.RUNNING ? this.progress.of(record) : null;
    return { record, prepared, reason, lastResult, ...(progress !== null && { progress }) };
  }

  /**
   * A job after a cancel. Where that aborts its handler, the answer waits for the handler's end, so that a caller
   * sees what came of it; not longer than a node gives a handler, as the job goes on by itself.
   */
  async viewCancelled({ id, status, claim }: JobRecord): Promise<JobView> {
    const { clock, ended } = this.context;
    const until = clock.monotonic() + (status === STORED_STATUS.RUNNING ? ABORT_WAIT_MS : 0);
    let changed = new AbortController();
    const unwatch = this.changedJobs.watch(id, () => changed.abort());
    try {
      for (;;) {
        changed = new AbortController();
        const view = await this.readJob(id);
        const leftMs = until - clock.monotonic();
        const isRunning = view.record.status === STORED_STATUS.RUNNING && view.record.claim === claim;
        if (!isRunning || leftMs <= 0 || ended.aborted) return view;
        await sleep(clock, leftMs, AbortSignal.any([changed.signal, ended]));
      }
    } finally {
      unwatch();
    }
  }

  async *watchJob(jobId: number, signal: AbortSignal): AsyncIterable<JobView> {
    const { clock, ended } = this.context;
    const stop = AbortSignal.any([signal, ended]);
    let changed = new AbortController();
    const unwatch = this.changedJobs.watch(jobId, () => changed.abort());
    // A generator that is cancelled while it waits may never get to its `finally`.
    stop.addEventListener("abort", unwatch, { once: true });
    let shown = "";
    try {
      while (!stop.aborted) {
        changed = new AbortController();
        const view = await this.readJob(jobId);
        const state = JSON.stringify([
          view.record,
          view.prepared,
          view.reason,
          view.lastResult?.claim,
          view.progress,
        ]);
        if (state !== shown) yield view;
        shown = state;
        if (hasEnded(view.record)) return;
        await sleep(clock, REREAD_MS, AbortSignal.any([changed.signal, stop]));
      }
      if (ended.aborted)
        throw new ElasticJobError("unavailable", "this node is no longer master; watch again");
    } catch (error) {
      // Deleted while it was watched: that is its end.
      if (shown === "" || !isError(error, "not_found")) throw error;
    } finally {
      unwatch();
    }
  }
}
