/**
 * One worker thread, as the node sees it: what runs in it, whether it turns, and how what ran in it
 * ends when it does. An execution ends once: by the thread's answer, or when the thread is gone, not
 * before; so an attempt's retry never runs beside a handler that ignores its abort.
 *
 * - Loading: its module is being read. `ready` leaves it; a module that does not load, or not in time, kills it.
 * - Serving: it takes jobs. A handler that ignores its abort leaves it for retiring; one that blocks it, for killed.
 * - Retiring: it takes no more jobs, and its others may end. It is killed when all that is left is overdue, when they
 *   took too long, or when somebody hurries it.
 * - Killed: `verdict` says who is to blame. What it has answered before still counts.
 * - Gone: whatever still ran in it has ended by that verdict.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { BuiltInSettings } from "../jobs/built-in.ts";
import { killGroup } from "../jobs/kill-group.ts";
import { AnswerReader, createAnswerRing } from "./answer-ring.ts";
import {
  type FromThread,
  type PackedRun,
  packRun,
  type ThreadData,
  type ToThread,
} from "./executor-messages.ts";
import type { Execution, ExecutionEnd, RunningExecution } from "./executors.ts";
import type { ThreadLimits } from "./thread-limits.ts";
import { createSignals, nextKey, SignalReader } from "./thread-signals.ts";
import { ThreadTurns } from "./thread-turns.ts";
import {
  endIn,
  NOT_KNOWN,
  type Part,
  partIn,
  type Verdict,
  verdictOnError,
  whyNotReady,
} from "./thread-verdict.ts";

export interface ThreadParts {
  readonly handlersUrl: string | null;
  readonly builtIn: BuiltInSettings;
  readonly limits: ThreadLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ThreadEvents {
  /** An execution has ended. `part`: its own in the thread's end, if it ended with that. */
  ended(execution: Execution, part: Part): void;
  /** It should take no more jobs: one of them won't end. */
  retire(): void;
  gone(): void;
}

interface Running {
  readonly execution: Execution;
  readonly ended: (end: ExecutionEnd) => void;
  /** Cancels of its timers. */
  readonly cancels: (() => void)[];
  isTimedOut: boolean;
  /** Why it should have ended by now; null: it may go on. */
  overdue: string | null;
}

export class Thread {
  handlers: readonly string[] = [];
  hasRunJob = false;
  readonly startedAt: number;
  /** Resolves once it takes jobs; rejects with what is wrong with the user's module. */
  readonly ready: Promise<void>;
  private readonly parts: ThreadParts;
  private readonly events: ThreadEvents;
  private readonly worker: Worker;
  private readonly signals: SignalReader;
  private readonly turns: ThreadTurns;
  private readonly answers: AnswerReader;
  private readonly running = new Map<number, Running>();
  /** Process groups that its handlers have started. */
  private readonly groups = new Set<number>();
  private lastKey = 0;
  private toRun: PackedRun[] = [];
  private verdict: Verdict | null = null;
  private isGone = false;
  private cancelRetirement = () => {};

  constructor(parts: ThreadParts, events: ThreadEvents) {
    this.parts = parts;
    this.events = events;
    this.startedAt = parts.clock.monotonic();
    const { handlersUrl, builtIn } = parts;
    const signals = createSignals();
    this.signals = new SignalReader(signals);
    this.turns = new ThreadTurns(this.signals, parts.clock);
    const answers = createAnswerRing();
    this.answers = new AnswerReader(answers);
    const workerData: ThreadData = { handlersUrl, builtIn, signals, answers };
    const url = new URL("./executor-thread.ts", import.meta.url);
    this.worker = new Worker(url, { workerData, stdout: true, stderr: true });
    // Node's own pipes end when the process's output is lost, and what handlers print would pile up in the thread.
    this.worker.stdout.on("data", (printed) => process.stdout.write(printed));
    this.worker.stderr.on("data", (printed) => process.stderr.write(printed));
    this.ready = this.listen();
  }

  get size(): number {
    return this.running.size;
  }

  get isKilled(): boolean {
    return this.verdict !== null || this.isGone;
  }

  /** How long its event loop has not turned. Wants to be asked every TURN_MS. */
  blockedMs(): number {
    return this.turns.blockedMs();
  }

  run(execution: Execution, ended: (end: ExecutionEnd) => void): RunningExecution {
    const key = nextKey(this.lastKey);
    this.lastKey = key;
    const running: Running = { execution, ended, cancels: [], isTimedOut: false, overdue: null };
    this.running.set(key, running);
    // Executions that come in one message of the master go in one to the thread: each costs microseconds.
    if (this.toRun.push(packRun(key, execution)) === 1) queueMicrotask(() => this.postRuns());
    if (execution.timeoutMs !== null) {
      const timeOut = () => {
        this.takeAnswers();
        running.isTimedOut = true;
        this.abort(key, "the attempt has timed out", this.parts.limits.timeoutGraceMs);
      };
      running.cancels.push(this.parts.clock.after(execution.timeoutMs, timeOut));
    }
    return { abort: (reason, graceMs) => this.abort(key, reason, graceMs) };
  }

  /** Kills it if it has been blocked for too long. */
  check(): void {
    this.takeAnswers();
    if (this.turns.blockedMs() < this.parts.limits.maxBlockedMs || this.running.size === 0 || this.isKilled)
      return;
    this.parts.logger.warn({ jobs: this.running.size }, "a thread for handlers is blocked; replacing it");
    this.killBlocked("the handler blocked its thread", null);
  }

  /** For the sake of nobody in it. Resolves when it is gone. */
  async stop(reason: string): Promise<void> {
    await this.kill({ reason, culprits: new Set(), isSure: true, end: null, isBlocked: false });
  }

  /** Kills it now if it has been told to let its jobs end, and still has some. */
  hurry(): void {
    const culprits = new Set<number>();
    for (const [key, { overdue }] of this.running) if (overdue !== null) culprits.add(key);
    if (culprits.size === 0) return;
    const reason = "the handler ignored its abort";
    void this.kill({ reason, culprits, isSure: true, end: null, isBlocked: false });
  }

  private abort(key: number, reason: string, graceMs: number): void {
    this.takeAnswers();
    const running = this.running.get(key);
    if (running === undefined) return;
    this.postRuns();
    this.post({ kind: "abort", key, reason });
    running.cancels.push(this.parts.clock.after(graceMs, () => this.force(key, running, reason)));
  }

  private force(key: number, running: Running, reason: string): void {
    this.takeAnswers();
    if (!this.running.has(key) || this.isKilled) return;
    const { jobId, handler } = running.execution;
    this.parts.logger.warn({ jobId, handler }, "a handler ignores its abort; replacing its thread");
    running.overdue = reason;
    if (this.turns.blockedMs() >= this.parts.limits.blockedMs) {
      return this.killBlocked(`${reason}, and its thread was blocked`, key);
    }
    this.events.retire();
    this.cancelRetirement();
    this.cancelRetirement = this.parts.clock.after(this.parts.limits.retireMs, () => this.hurry());
    this.hurryIfAllAreOverdue();
  }

  /** Once a handler ignores its abort, nobody but its neighbours keeps the thread alive. */
  private hurryIfAllAreOverdue(): void {
    for (const { overdue } of this.running.values()) if (overdue === null) return;
    this.hurry();
  }

  private killBlocked(reason: string, likely: number | null): void {
    const only = this.running.size === 1 ? firstKey(this.running) : null;
    const certain = this.signals.inside ?? only;
    const culprit = certain ?? likely;
    const culprits = culprit === null ? null : new Set([culprit]);
    void this.kill({ reason, culprits, isSure: certain !== null, end: null, isBlocked: true });
  }

  private async kill(verdict: Verdict): Promise<void> {
    this.verdict ??= verdict;
    // What it has already answered is delivered before it counts as gone.
    await this.worker.terminate();
  }

  private ended(key: number, end: ExecutionEnd, part: Part = "none"): void {
    const running = this.running.get(key);
    if (running === undefined) return;
    this.running.delete(key);
    for (const cancel of running.cancels) cancel();
    // Whatever a handler makes of its abort at the deadline, it was too late.
    running.ended(running.isTimedOut && end.kind !== "lost" ? { kind: "timed_out" } : end);
    this.events.ended(running.execution, part);
    if (part === "none") this.hurryIfAllAreOverdue();
  }

  private takeAnswers(): void {
    this.answers.take((key, output) => this.ended(key, { kind: "succeeded", output }));
  }

  private exited(): void {
    this.takeAnswers();
    this.isGone = true;
    this.cancelRetirement();
    for (const group of this.groups) killGroup(group);
    const verdict = this.verdict ?? NOT_KNOWN;
    for (const [key, running] of [...this.running]) {
      const part = partIn(verdict, key, this.signals.hasTaken(key));
      this.ended(key, endIn(verdict, part, running.isTimedOut), part);
    }
    this.events.gone();
  }

  private listen(): Promise<void> {
    const { clock, logger, limits } = this.parts;
    return new Promise((resolve, reject) => {
      let isReady = false;
      const fail = (message: string) => {
        cancel();
        reject(new Error(message));
        void this.stop("its handlers could not be loaded");
      };
      const cancel = clock.after(limits.startMs, () =>
        fail(`it has not loaded within ${limits.startMs} ms; does a top-level await never end?`),
      );
      this.worker.on("message", (message: FromThread) => {
        switch (message.kind) {
          case "ready":
            cancel();
            isReady = true;
            this.handlers = message.handlers;
            this.hasRunJob = message.hasRunJob;
            return resolve();
          case "broken":
            return fail(message.message);
          case "ended":
            return this.ended(message.key, message.end);
          case "answered":
            return this.takeAnswers();
          case "process":
            if (message.isRunning) this.groups.add(message.group);
            else this.groups.delete(message.group);
            return;
          case "dying":
            return this.died(message);
        }
      });
      this.worker.on("error", (error) => {
        logger.error({ error }, "a thread for handlers has died");
        // What it had answered by then has no part in it.
        this.takeAnswers();
        const only = this.running.size === 1 ? firstKey(this.running) : null;
        this.verdict ??= verdictOnError(error, this.signals.inside ?? only);
      });
      this.worker.on("exit", (code) => {
        if (!isReady) fail(whyNotReady(code, this.verdict));
        this.exited();
      });
    });
  }

  private died({ key, reason, end }: Extract<FromThread, { kind: "dying" }>): void {
    const message = end.kind === "failed" ? end.error.message : "";
    const jobId = key === null ? null : (this.running.get(key)?.execution.jobId ?? null);
    this.parts.logger.error(
      { jobId, error: end.kind === "failed" ? end.error : null },
      `a thread for handlers has died of ${reason}`,
    );
    const culprits = key === null ? null : new Set([key]);
    const why = `its thread has died of ${reason}: ${message}`;
    this.verdict ??= { reason: why, culprits, isSure: key !== null, end, isBlocked: false };
  }

  private postRuns(): void {
    if (this.toRun.length === 0) return;
    this.post({ kind: "run", runs: this.toRun });
    this.toRun = [];
  }

  private post(message: ToThread): void {
    this.worker.postMessage(message);
  }
}

function firstKey(running: ReadonlyMap<number, unknown>): number | null {
  const [key] = running.keys();
  return key ?? null;
}
