/**
 * Turns concurrent adds into few calls: at most two are under way, and what is added meanwhile goes with
 * the next. So a lone add is sent at once, and a thousand cost few calls; two, so that this side and the
 * other work at the same time. Each add is settled on its own: one that is refused leaves the others alone.
 */
import { Code, ConnectError } from "@connectrpc/connect";
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
/** Larger batches are multiples of it: the cluster's statements of such sizes are prepared. */
const EVEN_JOBS = 4;

export class AddBatcher {
  readonly #options: AddBatcherOptions;
  #queue: QueuedAdd[] = [];
  #queuedBytes = 0;
  #calls = 0;
  #isFlushing = false;

  constructor(options: AddBatcherOptions) {
    this.#options = options;
  }

  add(job: TableJob): Promise<AddedJob> {
    const { timeoutMs, maxQueuedBytes } = this.#options;
    if (this.#queue.length > 0 && this.#queuedBytes + job.size > maxQueuedBytes) {
      const message = `addJob: ${this.#queuedBytes} bytes of jobs wait to be sent already, at most ${maxQueuedBytes} may; await earlier adds first`;
      return Promise.reject(new ConnectError(message, Code.ResourceExhausted));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, deadline: performance.now() + timeoutMs, resolve, reject });
      this.#queuedBytes += job.size;
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      // Not at once: adds made in the same turn of the event loop should share a call.
      queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    this.#isFlushing = false;
    while (this.#queue.length > 0 && this.#calls < MAX_CALLS) {
      if (this.#calls > 0 && this.#queue.length < MIN_SHARED_JOBS) return;
      this.#calls++;
      void this.#send(this.#takeBatch()).finally(() => {
        this.#calls--;
        this.#flush();
      });
    }
  }

  #takeBatch(): QueuedAdd[] {
    const { maxBatchJobs, maxBatchBytes } = this.#options;
    const shares = this.#queue.length < MIN_SHARED_JOBS ? 1 : MAX_CALLS + 1 - this.#calls;
    const share = Math.min(maxBatchJobs, Math.ceil(this.#queue.length / shares));
    const most = share < MIN_SHARED_JOBS ? share : share - (share % EVEN_JOBS);
    let bytes = 0;
    let count = 0;
    for (const { job } of this.#queue) {
      if (count === most || (count > 0 && bytes + job.size > maxBatchBytes)) break;
      bytes += job.size;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #send(taken: QueuedAdd[]): Promise<void> {
    const now = performance.now();
    const batch = taken.filter((queued) => {
      if (queued.deadline > now) return true;
      queued.reject(new ConnectError("the add waited too long for earlier ones", Code.DeadlineExceeded));
      return false;
    });
    const last = batch.at(-1);
    if (last === undefined) return;
    try {
      const outcomes = await this.#options.send(
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
