/**
 * Turns concurrent adds into few calls: at most two are under way, and what is added meanwhile goes with
 * the next. So a lone add is sent at once, and a thousand cost few calls; two, so that this side and the
 * other work at the same time. Each add is settled on its own: one that is refused leaves the others alone.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { Gather } from "../core/flow/gather.ts";
import type { TableJob } from "./encode-table.ts";
import type { AddedJob } from "./job-json.ts";

export interface AddBatcherOptions {
  /** Sends one AddJobs call, with retries, within `timeoutMs`: an outcome for each job. */
  readonly send: (
    jobs: readonly TableJob[],
    timeoutMs: number,
  ) => Promise<readonly (AddedJob | ConnectError)[]>;
  /** What an add may take, from the moment it was made. */
  readonly timeoutMs: number;
  readonly maxBatchJobs: number;
  /** Of JSON. A single job may exceed it. */
  readonly maxBatchBytes: number;
  /** Adds that wait for their call; more are refused with resource_exhausted. */
  readonly maxQueuedBytes: number;
}

interface QueuedAdd {
  readonly job: TableJob;
  readonly deadline: number;
  readonly resolve: (added: AddedJob) => void;
  readonly reject: (error: ConnectError | undefined) => void;
}

const MAX_CALLS = 2;
/** Fewer adds than that are not worth a second call: they go with the next. */
const MIN_SHARED_JOBS = 32;

export class AddBatcher {
  private readonly options: AddBatcherOptions;
  private readonly adds = new Gather<QueuedAdd>({
    mostBatches: MAX_CALLS,
    take: (waiting, calls) => this.batchLength(waiting, calls),
    run: (batch) => this.send(batch),
    soon: queueMicrotask,
  });
  private queuedBytes = 0;

  constructor(options: AddBatcherOptions) {
    this.options = options;
  }

  add(job: TableJob): Promise<AddedJob> {
    const { timeoutMs, maxQueuedBytes } = this.options;
    if (this.adds.waiting > 0 && this.queuedBytes + job.size > maxQueuedBytes) {
      const message = `addJob: ${this.queuedBytes} bytes of jobs wait to be sent already, at most ${maxQueuedBytes} may; await earlier adds first`;
      return Promise.reject(new ConnectError(message, Code.ResourceExhausted));
    }
    return new Promise((resolve, reject) => {
      this.queuedBytes += job.size;
      this.adds.add({ job, deadline: performance.now() + timeoutMs, resolve, reject });
    });
  }

  private batchLength(waiting: readonly QueuedAdd[], calls: number): number {
    const { maxBatchJobs, maxBatchBytes } = this.options;
    const isFew = waiting.length < MIN_SHARED_JOBS;
    if (isFew && calls > 0) return 0;
    const shares = isFew ? 1 : MAX_CALLS - calls;
    const most = Math.min(maxBatchJobs, Math.ceil(waiting.length / shares));
    let bytes = 0;
    let count = 0;
    for (const { job } of waiting) {
      if (count === most || (count > 0 && bytes + job.size > maxBatchBytes)) break;
      bytes += job.size;
      count++;
    }
    return count;
  }

  private async send(taken: readonly QueuedAdd[]): Promise<void> {
    for (const { job } of taken) this.queuedBytes -= job.size;
    const now = performance.now();
    const batch = taken.filter((queued) => {
      if (queued.deadline > now) return true;
      queued.reject(new ConnectError("the add waited too long for earlier ones", Code.DeadlineExceeded));
      return false;
    });
    const last = batch.at(-1);
    if (last === undefined) return;
    try {
      const outcomes = await this.options.send(
        batch.map((queued) => queued.job),
        last.deadline - now,
      );
      for (const [i, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined || outcome instanceof ConnectError) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      for (const queued of batch) queued.reject(ConnectError.from(error));
    }
  }
}
