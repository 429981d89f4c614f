/**
 * The handlers that run, in this thread, and whether virtual time may go on. A handler is at rest once it has ended or
 * waits for virtual time; one that waits for something real, such as a file, is waited for while no virtual time
 * passes. So a handler takes no virtual time but what it waits for by the cluster's clock.
 *
 * Ends are told only when all handlers are at rest, in the order in which the handlers were called: which of two files
 * was read first changes nothing.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { describeFailure } from "../node/describe-failure.ts";
import type { Execution, ExecutionEnd } from "../node/executors.ts";
import { outputText } from "../node/output-text.ts";
import { settled } from "./settled.ts";

/** The real ones, whatever a test puts in their place. */
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;
const realNow = performance.now.bind(performance);

/** Less than a slice of `rpc/turns.ts` takes at least. */
const PART_OF_SLICE_MS = 5;

export interface HandlerRunParts {
  readonly execution: Execution;
  readonly nodeId: string;
  readonly call: () => unknown;
  readonly ended: (end: ExecutionEnd) => void;
}

/** One call of a handler. */
export interface HandlerRun extends HandlerRunParts {
  /** In the order in which they were started. */
  readonly number: number;
  /** Nobody waits for its end any more: its process has died, or it has ignored its abort. */
  isAbandoned: boolean;
  /** How many waits for virtual time it is in. */
  waits: number;
  /** Since when it has not been at rest, in real milliseconds. */
  busySince: number;
}

interface Ended {
  readonly run: HandlerRun;
  readonly end: ExecutionEnd;
}

export class HandlerRuns {
  readonly #limitMs: number;
  readonly #context = new AsyncLocalStorage<HandlerRun | undefined>();
  readonly #running = new Set<HandlerRun>();
  /** Those that are not at rest. */
  readonly #busy = new Set<HandlerRun>();
  #ended: Ended[] = [];
  #lastNumber = 0;
  /** Calls to the cluster that are under way. */
  #calls = 0;
  #woken: () => void = () => {};

  /** `limitMs`: how long, in real time, a handler may be busy before virtual time goes on. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Whose code calls; undefined: the test's own. */
  get current(): HandlerRun | undefined {
    return this.#context.getStore();
  }

  /** How many have not ended. */
  get size(): number {
    return this.#running.size;
  }

  start(parts: HandlerRunParts): HandlerRun {
    const run: HandlerRun = {
      ...parts,
      number: ++this.#lastNumber,
      isAbandoned: false,
      waits: 0,
      busySince: 0,
    };
    this.#running.add(run);
    this.#isBusy(run);
    void this.#context.run(run, () => this.#call(run));
    return run;
  }

  /** Calls what a handler has given to be called, such as what listens to its signal. */
  inside(run: HandlerRun, code: () => void): void {
    this.#context.run(run, code);
  }

  abandon(run: HandlerRun): void {
    run.isAbandoned = true;
    this.#running.delete(run);
    this.#isAtRest(run);
  }

  /** Time may pass while it is awaited. */
  async waiting<T>(promise: PromiseLike<T>): Promise<T> {
    const run = this.current;
    if (run === undefined) return promise;
    run.waits++;
    this.#isAtRest(run);
    try {
      return await promise;
    } finally {
      run.waits--;
      if (run.waits === 0 && this.#running.has(run)) this.#isBusy(run);
    }
  }

  /** Calls nodes, whose doings are none of the handler's, if a handler calls. */
  outside<T>(code: () => T): T {
    return this.#context.run(undefined, code);
  }

  /** Time may pass while a call is under way, whoever made it: a client sends those of several handlers together. */
  async calling<T>(answer: Promise<T>): Promise<T> {
    this.#calls++;
    this.#woken();
    try {
      return await answer;
    } finally {
      this.#calls--;
      for (const run of this.#busy) run.busySince = realNow();
    }
  }

  /** Resolves when time may go on. Throws when a handler has been busy for too long. */
  async rest(): Promise<void> {
    for (;;) {
      const since = realNow();
      await settled();
      // A node that does much for a call does it in slices, of which the next one is to come.
      if (this.#calls > 0 && realNow() - since >= PART_OF_SLICE_MS) continue;
      const [longest] = this.#busy;
      if (longest !== undefined && this.#calls === 0) await this.#change(longest);
      else if (this.#ended.length === 0) return;
      else this.#tellEnds();
    }
  }

  #tellEnds(): void {
    const ended = this.#ended.sort((one, other) => one.run.number - other.run.number);
    this.#ended = [];
    for (const { run, end } of ended) if (!run.isAbandoned) run.ended(end);
  }

  async #call(run: HandlerRun): Promise<void> {
    let end: ExecutionEnd;
    try {
      end = { kind: "succeeded", output: outputText(await run.call()) };
    } catch (error) {
      end = describeFailure(error);
    }
    if (this.#running.delete(run)) this.#ended.push({ run, end });
    this.#isAtRest(run);
  }

  #isBusy(run: HandlerRun): void {
    run.busySince = realNow();
    this.#busy.add(run);
  }

  #isAtRest(run: HandlerRun): void {
    this.#busy.delete(run);
    this.#woken();
  }

  async #change(longest: HandlerRun): Promise<void> {
    const leftMs = longest.busySince + this.#limitMs - realNow();
    if (leftMs <= 0) throw new Error(this.#notBack(longest));
    await new Promise<void>((resolve) => {
      const timer = startTimer(resolve, leftMs);
      this.#woken = () => {
        stopTimer(timer);
        resolve();
      };
    });
    this.#woken = () => {};
  }

  #notBack({ execution: { handler, jobId, name, attempt }, nodeId }: HandlerRun): string {
    return (
      `handler ${handler} has not come back within ${this.#limitMs} ms of real time (job ${jobId} ${JSON.stringify(name)}, ` +
      `attempt ${attempt}, on ${nodeId}), and virtual time waits for it. Waits for virtual time go by cluster.clock.sleep, ` +
      "for what the test itself settles by cluster.clock.wait; for slow real work, give testCluster a longer handlerLimitMs"
    );
  }
}
