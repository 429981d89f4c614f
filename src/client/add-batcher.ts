/**
 * Turns concurrent adds into few calls: one call at a time is under way, and what is added meanwhile
 * goes with the next. So a lone add is sent at once, and a thousand cost about two calls. Each add is
 * settled on its own: one that is refused leaves the others alone.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import type { AddJobOutcome, AddJobRequest, AddJobResponse } from "../gen/elasticjob/v1/job_service_pb.ts";

export interface AddBatcherOptions {
  /** Sends one AddJobs call, with retries, within `timeoutMs`. */
  readonly send: (jobs: AddJobRequest[], timeoutMs: number) => Promise<readonly AddJobOutcome[]>;
  /** What an add may take, from the moment it was made. */
  readonly timeoutMs: number;
  readonly maxBatchJobs: number;
  /** Of JSON. A single job may exceed it. */
  readonly maxBatchBytes: number;
  /** Adds that wait for their call; more are refused with resource_exhausted. */
  readonly maxQueuedBytes: number;
}

interface QueuedAdd {
  readonly job: AddJobRequest;
  readonly bytes: number;
  readonly deadline: number;
  readonly resolve: (added: AddJobResponse) => void;
  readonly reject: (error: ConnectError) => void;
}

export class AddBatcher {
  readonly #options: AddBatcherOptions;
  #queue: QueuedAdd[] = [];
  #queuedBytes = 0;
  #running = false;

  constructor(options: AddBatcherOptions) {
    this.#options = options;
  }

  /** `bytes`: the job's size as JSON. */
  add(job: AddJobRequest, bytes: number): Promise<AddJobResponse> {
    const { timeoutMs, maxQueuedBytes } = this.#options;
    if (this.#queue.length > 0 && this.#queuedBytes + bytes > maxQueuedBytes) {
      const message = `addJob: ${this.#queuedBytes} bytes of jobs wait to be sent already, at most ${maxQueuedBytes} may; await earlier adds first`;
      return Promise.reject(new ConnectError(message, Code.ResourceExhausted));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, bytes, deadline: performance.now() + timeoutMs, resolve, reject });
      this.#queuedBytes += bytes;
      if (this.#running) return;
      this.#running = true;
      // Not at once: adds made in the same turn of the event loop should share a call.
      queueMicrotask(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#flush(this.#takeBatch());
    this.#running = false;
  }

  #takeBatch(): QueuedAdd[] {
    const { maxBatchJobs, maxBatchBytes } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const queued of this.#queue) {
      if (count === maxBatchJobs || (count > 0 && bytes + queued.bytes > maxBatchBytes)) break;
      bytes += queued.bytes;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #flush(taken: QueuedAdd[]): Promise<void> {
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
      for (const [i, queued] of batch.entries()) settle(queued, outcomes[i]);
    } catch (error) {
      for (const queued of batch) queued.reject(ConnectError.from(error));
    }
  }
}

function settle(queued: QueuedAdd, outcome: AddJobOutcome | undefined): void {
  const added = addedOf(outcome);
  if (added instanceof ConnectError) queued.reject(added);
  else queued.resolve(added);
}

/** The job that was added, or why it was not. */
export function addedOf(outcome: AddJobOutcome | undefined): AddJobResponse | ConnectError {
  if (outcome?.outcome.case === "added") return outcome.outcome.value;
  if (outcome?.outcome.case !== "failure") {
    return new ConnectError("the server sent no outcome for this job", Code.Internal);
  }
  const { code, message } = outcome.outcome.value;
  return new ConnectError(message, codeFromString(code) ?? Code.Unknown);
}
