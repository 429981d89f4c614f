/** The worker behind a thread: its start, the messages to it and from it, what it prints, and what it leaves behind. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../core/clock.ts";
import type { Progress } from "../core/log/progress.ts";
import type { Logger } from "../core/logger.ts";
import type { BuiltInSettings } from "../jobs/built-in.ts";
import { killGroup } from "../jobs/kill-group.ts";
import { AnswerReader, createAnswerRing } from "./answer-ring.ts";
import type {
  AddAnswer,
  FromThread,
  Offer,
  PackedRun,
  SaidLine,
  ThreadData,
  ToThread,
} from "./executor-messages.ts";
import type { ExecutionEnd } from "./executors.ts";
import type { Scrubber } from "./scrubber.ts";
import type { ThreadLimits } from "./thread-limits.ts";
import { createSignals, SignalReader } from "./thread-signals.ts";

/** Adds a job for an execution; `request`: an AddJobRequest as JSON. Resolves with its id. */
export type AddJob = (request: string, signal: AbortSignal) => Promise<string>;

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ThreadParts {
  readonly handlersUrl: string | null;
  readonly builtIn: BuiltInSettings;
  readonly env: Environment;
  /** Of the process's own secrets, which its threads are not told. */
  readonly scrubber: () => Scrubber;
  readonly addJob: AddJob;
  readonly limits: ThreadLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type AddMessage = Extract<FromThread, { kind: "add" }>;
export type Dying = Extract<FromThread, { kind: "dying" }>;

export interface WorkerEvents {
  settingUp(): void;
  /** It has loaded, and takes jobs. */
  ready(offer: Offer): void;
  /** Its module does not load. */
  broken(message: string): void;
  tornDown(problem: string | null): void;
  ended(key: number, end: ExecutionEnd): void;
  /** There are answers in the ring. */
  answered(): void;
  said(lines: readonly SaidLine[]): void;
  progressed(key: number, progress: Progress): void;
  adds(message: AddMessage): void;
  dying(message: Dying): void;
  /** It dies of an error that its own code could not tell of, as when it runs out of memory. */
  failed(error: unknown): void;
  exited(code: number): void;
}

export class ThreadWorker {
  readonly signals: SignalReader;
  readonly answers: AnswerReader;
  private readonly worker: Worker;
  /** Process groups that its handlers have started. */
  private readonly groups = new Set<number>();
  private toRun: PackedRun[] = [];

  constructor({ handlersUrl, builtIn, env }: ThreadParts, on: WorkerEvents) {
    const signals = createSignals();
    this.signals = new SignalReader(signals);
    const answers = createAnswerRing();
    this.answers = new AnswerReader(answers);
    const workerData: ThreadData = { handlersUrl, builtIn, signals, answers };
    // Its ending is that of this file: TypeScript in a clone, JavaScript in the package, where nothing rewrites it.
    const url = new URL(`./executor-thread${extname(import.meta.url)}`, import.meta.url);
    this.worker = new Worker(url, { workerData, env: { ...env }, stdout: true, stderr: true });
    // Node's own pipes end when the process's output is lost, and what handlers print would pile up in the thread.
    this.worker.stdout.on("data", (printed) => process.stdout.write(printed));
    this.worker.stderr.on("data", (printed) => process.stderr.write(printed));
    this.worker.on("message", (message: FromThread) => this.receive(message, on));
    this.worker.on("error", (error) => on.failed(error));
    this.worker.on("exit", (code) => on.exited(code));
  }

  /** Executions that come in one message of the master go in one to the thread: each costs microseconds. */
  run(packed: PackedRun): void {
    if (this.toRun.push(packed) === 1) queueMicrotask(() => this.postRuns());
  }

  abort(key: number, reason: string): void {
    this.postRuns();
    this.post({ kind: "abort", key, reason });
  }

  tearDown(): void {
    this.post({ kind: "tear_down" });
  }

  added(key: number, call: number, answer: AddAnswer): void {
    this.post({ kind: "added", key, call, answer });
  }

  /** What it has already answered is delivered before this resolves. */
  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  killGroups(): void {
    for (const group of this.groups) killGroup(group);
  }

  private receive(message: FromThread, on: WorkerEvents): void {
    switch (message.kind) {
      case "setting_up":
        return on.settingUp();
      case "torn_down":
        return on.tornDown(message.problem);
      case "ready":
        return on.ready(message);
      case "broken":
        return on.broken(message.message);
      case "ended":
        return on.ended(message.key, message.end);
      case "answered":
        return on.answered();
      case "said":
        return on.said(message.lines);
      case "progress":
        return on.progressed(message.key, message.progress);
      case "add":
        return on.adds(message);
      case "process":
        if (message.isRunning) this.groups.add(message.group);
        else this.groups.delete(message.group);
        return;
      case "dying":
        return on.dying(message);
    }
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
