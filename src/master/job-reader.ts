import { sleep } from "../core/clock.ts";
import { ElasticJobError, isError } from "../core/errors.ts";
import { hasEnded, type JobRecord, STORED_STATUS } from "../core/job.ts";
import { canTake, choose } from "../core/placement.ts";
import { whyWaiting } from "../core/why-waiting.ts";
import type { ChangedJobs } from "./changed-jobs.ts";
import type { ClassRegistry } from "./class-registry.ts";
import type { MasterContext } from "./context.ts";
import { jobNotFound } from "./control.ts";
import type { JobView } from "./job-api.ts";
import type { NodeSessions } from "./node-sessions.ts";

/** A watched job is read anew so often, whether or not a change was heard of. */
const REREAD_MS = 5000;
/** Results of the newest claims that are looked at for the last one that counts. */
const NEWEST_RESULTS = 10;

/** Jobs as callers see them. */
export class JobReader {
  private readonly context: MasterContext;
  private readonly classes: ClassRegistry;
  private readonly sessions: NodeSessions;
  private readonly changedJobs: ChangedJobs;

  constructor(
    context: MasterContext,
    parts: { classes: ClassRegistry; sessions: NodeSessions; changedJobs: ChangedJobs },
  ) {
    this.context = context;
    this.classes = parts.classes;
    this.sessions = parts.sessions;
    this.changedJobs = parts.changedJobs;
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
    return { record, prepared, reason: prepared ? this.whyPrepared(record) : whyWaiting(record), lastResult };
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
        const state = JSON.stringify([view.record, view.prepared, view.reason, view.lastResult?.claim]);
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

  private whyPrepared(record: JobRecord): string {
    const jobClass = this.classes.get(record.classId);
    const nodes = this.sessions.all();
    if (nodes.length === 0) return "no node is connected";
    const { handler, requirements } = record.spec;
    if (!nodes.some((node) => node.runJob || node.handlers.has(handler))) {
      return `no connected node offers the handler "${handler}"`;
    }
    const able = nodes.filter((node) => jobClass !== undefined && canTake(node, jobClass));
    if (able.length === 0) return `no connected node that offers "${handler}" carries the required labels`;
    if (able.every((node) => node.slots < requirements.slots)) {
      return `no connected node has ${requirements.slots} slots`;
    }
    if (able.every((node) => node.memoryMb < requirements.memoryMb)) {
      return `no connected node has ${requirements.memoryMb} MiB of memory`;
    }
    return choose(able, requirements) === null ? "all nodes that can take it are full" : "";
  }
}
