/**
 * Executors as worker threads. A handler that blocks its thread, or ends it, stops neither the node's
 * heartbeats nor its other threads: the thread is replaced, and what ran in it beside the culprit is
 * lost without blame. What a thread had already answered is taken in before it is killed.
 */
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Clock } from "../core/clock.ts";
import { ElasticJobError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type FromThread, type ThreadData, type ToThread, TURN_MS } from "./executor-messages.ts";
import type { Execution, ExecutionEnd, Executors, RunningExecution } from "./executors.ts";

/** How long a handler has to end after its deadline. */
const TIMEOUT_GRACE_MS = 1000;
/** A thread whose event loop has not turned for so long is killed, whatever the time limits of its jobs. */
const MAX_BLOCKED_MS = 30_000;
/** Not turned for so long, when a job in it has to end: it is blocked. */
const BLOCKED_MS = 4 * TURN_MS;
const START_TIMEOUT_MS = 30_000;

const NO_THREAD: ExecutionEnd = {
  kind: "lost",
  reason: "the node has no thread at the moment",
  isBlameless: true,
};

interface Running {
  readonly execution: Execution;
  readonly ended: (end: ExecutionEnd) => void;
  /** Cancels of its timers. */
  readonly cancels: (() => void)[];
  timedOut: boolean;
}

interface Thread {
  readonly worker: Worker;
  readonly turns: Int32Array;
  readonly running: Map<number, Running>;
  handlers: readonly string[];
  hasRunJob: boolean;
  /** The turn that was seen last, and when (monotonic) it was new. */
  lastTurn: number;
  lastTurnAt: number;
  /** It takes no more jobs, and ends with its last one. */
  retiring: boolean;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  /** File URL of the user's module; null: only the built-in handlers. */
  readonly handlersUrl: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Throws `invalid_argument` when the user's module can't be loaded. */
export async function startThreadPool(options: ThreadPoolOptions): Promise<Executors> {
  const pool = new ThreadPool(options);
  try {
    await pool.start();
  } catch (error) {
    await pool.stop();
    throw error;
  }
  return pool;
}

class ThreadPool implements Executors {
  handlers: readonly string[] = [];
  hasRunJob = false;
  private readonly options: ThreadPoolOptions;
  private threads: Thread[] = [];
  private lastKey = 0;
  private isStopped = false;
  private cancelWatch = () => {};

  constructor(options: ThreadPoolOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    this.threads = await Promise.all(Array.from({ length: this.options.threads }, () => this.startThread()));
    const [first] = this.threads;
    this.handlers = first?.handlers ?? [];
    this.hasRunJob = first?.hasRunJob ?? false;
    this.watch();
  }

  run(execution: Execution, ended: (end: ExecutionEnd) => void): RunningExecution {
    if (execution.alone) return this.runAlone(execution, ended);
    const thread = this.leastBusy();
    if (thread === undefined) {
      queueMicrotask(() => ended(NO_THREAD));
      return { abort: () => {} };
    }
    return this.runIn(thread, execution, ended);
  }

  /** In a thread that is started for it, and ends with it. */
  private runAlone(execution: Execution, ended: (end: ExecutionEnd) => void): RunningExecution {
    let abort: (() => void) | null = null;
    let running: RunningExecution | null = null;
    this.startThread().then(
      (thread) => {
        thread.retiring = true;
        running = this.runIn(thread, execution, ended);
        abort?.();
      },
      (error: unknown) => {
        this.options.logger.error({ error }, "could not start a thread for a job");
        ended(NO_THREAD);
      },
    );
    return {
      abort: (reason, graceMs) => {
        abort = () => running?.abort(reason, graceMs);
        abort();
      },
    };
  }

  private runIn(thread: Thread, execution: Execution, ended: (end: ExecutionEnd) => void): RunningExecution {
    const key = ++this.lastKey;
    const running: Running = { execution, ended, cancels: [], timedOut: false };
    thread.running.set(key, running);
    this.post(thread, { kind: "run", key, execution });
    if (execution.timeoutMs !== null) {
      running.cancels.push(this.options.clock.after(execution.timeoutMs, () => this.timeOut(thread, key)));
    }
    return { abort: (reason, graceMs) => this.abort(thread, key, reason, graceMs) };
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelWatch();
    const threads = this.threads;
    this.threads = [];
    await Promise.all(threads.map((thread) => this.kill(thread, "the node has stopped", null)));
  }

  private leastBusy(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.threads) {
      if (thread.retiring) continue;
      if (best === undefined || thread.running.size < best.running.size) best = thread;
    }
    return best;
  }

  private timeOut(thread: Thread, key: number): void {
    const running = thread.running.get(key);
    if (running === undefined) return;
    running.timedOut = true;
    this.abort(thread, key, "the attempt has timed out", TIMEOUT_GRACE_MS);
  }

  private abort(thread: Thread, key: number, reason: string, graceMs: number): void {
    const running = thread.running.get(key);
    if (running === undefined) return;
    this.post(thread, { kind: "abort", key, reason });
    const force = () => {
      if (!thread.running.has(key)) return;
      this.options.logger.warn(
        { jobId: running.execution.jobId, handler: running.execution.handler },
        "a handler ignores its abort; replacing its thread",
      );
      void this.replace(thread, reason, key);
    };
    running.cancels.push(this.options.clock.after(graceMs, force));
  }

  private end(thread: Thread, key: number, end: ExecutionEnd): void {
    const running = thread.running.get(key);
    if (running === undefined) return;
    thread.running.delete(key);
    for (const cancel of running.cancels) cancel();
    // Whatever a handler makes of its abort at the deadline, it was too late.
    running.ended(running.timedOut ? { kind: "timed_out" } : end);
    if (thread.retiring && thread.running.size === 0) void thread.worker.terminate();
  }

  /**
   * Takes a thread out of service for one job's sake. One that turns lets its other jobs end first;
   * one that is blocked can't.
   */
  private async replace(thread: Thread, reason: string, culprit: number | null): Promise<void> {
    if (this.isStopped) return;
    const isBlocked = this.blockedMs(thread) >= BLOCKED_MS;
    if (!thread.retiring) {
      thread.retiring = true;
      this.threads = this.threads.filter((other) => other !== thread);
      void this.addThread();
    }
    if (isBlocked) return this.kill(thread, reason, culprit);
    if (culprit !== null) this.end(thread, culprit, { kind: "lost", reason, isBlameless: false });
    // The zombie must not run on beside its retry for ever.
    this.options.clock.after(MAX_BLOCKED_MS, () => void this.kill(thread, reason, null));
  }

  private async kill(thread: Thread, reason: string, culprit: number | null): Promise<void> {
    // Answers that it had already sent are in our queue: let them be delivered.
    await setImmediate();
    await setImmediate();
    await thread.worker.terminate();
    for (const key of [...thread.running.keys()]) {
      this.end(thread, key, { kind: "lost", reason, isBlameless: culprit !== key });
    }
  }

  private async addThread(): Promise<void> {
    try {
      const thread = await this.startThread();
      if (this.isStopped) await thread.worker.terminate();
      else this.threads.push(thread);
    } catch (error) {
      this.options.logger.error({ error }, "could not start a thread for handlers; trying again");
      if (!this.isStopped) this.options.clock.after(1000, () => void this.addThread());
    }
  }

  private startThread(): Promise<Thread> {
    const { clock, handlersUrl } = this.options;
    const turns = new SharedArrayBuffer(4);
    const workerData: ThreadData = { handlersUrl, turns };
    const worker = new Worker(new URL("./executor-thread.ts", import.meta.url), { workerData });
    const thread: Thread = {
      worker,
      turns: new Int32Array(turns),
      running: new Map(),
      handlers: [],
      hasRunJob: false,
      lastTurn: 0,
      lastTurnAt: clock.monotonic(),
      retiring: false,
    };
    return new Promise((resolve, reject) => {
      const fail = (message: string, cause?: unknown) => {
        cancel();
        void worker.terminate();
        reject(
          new ElasticJobError("invalid_argument", `HANDLERS: could not load ${handlersUrl}: ${message}`, {
            cause,
          }),
        );
      };
      const cancel = clock.after(START_TIMEOUT_MS, () => fail(`not loaded within ${START_TIMEOUT_MS} ms`));
      worker.on("message", (message: FromThread) => {
        if (message.kind === "ended") {
          for (const { key, end } of message.ends) this.end(thread, key, end);
        } else if (message.kind === "broken") {
          fail(message.message);
        } else {
          cancel();
          thread.handlers = message.handlers;
          thread.hasRunJob = message.hasRunJob;
          resolve(thread);
        }
      });
      worker.on("error", (error) => {
        this.options.logger.error({ error }, "a thread for handlers has died");
        fail(error instanceof Error ? error.message : String(error), error);
      });
      worker.on("exit", () => this.exited(thread));
    });
  }

  /** It ended by itself: an uncaught error, process.exit in a handler, out of memory. Nobody knows whose fault it was. */
  private exited(thread: Thread): void {
    for (const key of [...thread.running.keys()]) {
      this.end(thread, key, { kind: "lost", reason: "its thread has died", isBlameless: false });
    }
    if (!this.threads.includes(thread)) return;
    this.threads = this.threads.filter((other) => other !== thread);
    if (!this.isStopped) void this.addThread();
  }

  private blockedMs(thread: Thread): number {
    const turn = Atomics.load(thread.turns, 0);
    const now = this.options.clock.monotonic();
    if (turn !== thread.lastTurn) {
      thread.lastTurn = turn;
      thread.lastTurnAt = now;
    }
    return now - thread.lastTurnAt;
  }

  /** Looks for blocked threads. */
  private watch(): void {
    for (const thread of this.threads) {
      if (this.blockedMs(thread) >= MAX_BLOCKED_MS && thread.running.size > 0) {
        this.options.logger.warn(
          { jobs: thread.running.size },
          "a thread for handlers is blocked; replacing it",
        );
        void this.replace(thread, "its thread was blocked", null);
      }
    }
    this.cancelWatch = this.options.clock.after(TURN_MS, () => this.watch());
  }

  private post(thread: Thread, message: ToThread): void {
    thread.worker.postMessage(message);
  }
}
