/**
 * Executors as worker threads. A handler that blocks its thread, or ends it, stops neither the node's
 * heartbeats nor its other threads: the thread is replaced, and what ran in it beside the culprit is
 * lost without blame. What a thread had already answered is taken in before it is killed.
 */
import { fileURLToPath } from "node:url";
import type { HandlerSchemas } from "../contract/json-schemas.ts";
import type { Clock } from "../core/clock.ts";
import { ElasticJobError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type BuiltInSettings, DEFAULT_BUILT_IN_SETTINGS } from "../jobs/built-in.ts";
import { NO_OFFER, type Offer, TURN_MS } from "./executor-messages.ts";
import type { Execution, ExecutionEnd, Executors, Listener, RunningExecution } from "./executors.ts";
import { LoneThreads } from "./lone-threads.ts";
import { NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";
import { Suspects } from "./suspects.ts";
import { Thread, type ThreadEvents } from "./thread.ts";
import { THREAD_LIMITS, type ThreadLimits } from "./thread-limits.ts";
import type { AddJob, Environment, ThreadParts } from "./thread-worker.ts";
import { WaitingExecution } from "./waiting-execution.ts";

export interface ThreadPoolOptions {
  /** How many threads share the jobs. As many again may be on their way out, or run one job alone. */
  readonly threads: number;
  /** File URL of the user's module; null: only the built-in handlers. */
  readonly handlersUrl: string | null;
  readonly builtIn?: BuiltInSettings;
  /** What handlers have for `process.env`: nothing of the process's own, which may hold secrets. */
  readonly env: Environment;
  /** Of the process's own secrets; none unless given. */
  readonly scrubber?: () => Scrubber;
  /** For handlers that add jobs; none can unless given. */
  readonly addJob?: AddJob;
  readonly limits?: Partial<ThreadLimits>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface HandlerThreads extends Executors {
  /** What the user's module has besides handlers, as JSON text; null: nothing. */
  readonly schedules: string | null;
  /**
   * Has new threads load the module as it is now, and take all jobs from then on; what runs ends in the old ones. Throws
   * what is wrong with it, or what `accepts` throws: then nothing has changed.
   */
  reload(accepts: (offer: Offer) => void): Promise<void>;
}

/** A module that takes longer to load is told, so that nobody waits without knowing what for. */
const SLOW_MS = 3_000;

/** Throws `invalid_argument` when the user's module can't be loaded. */
export async function startThreadPool(options: ThreadPoolOptions): Promise<HandlerThreads> {
  const pool = new ThreadPool(options);
  const { clock, logger, handlersUrl } = options;
  const limitMs = options.limits?.startMs ?? THREAD_LIMITS.startMs;
  const cancel = clock.after(SLOW_MS, () => {
    if (handlersUrl === null) return;
    const path = fileURLToPath(handlersUrl);
    logger.warn({ path, limitMs }, "HANDLERS: the module has not loaded yet; waiting for it");
  });
  try {
    await pool.start();
  } catch (error) {
    await pool.stop();
    const why = error instanceof Error ? error.message : String(error);
    if (handlersUrl === null) throw new ElasticJobError("internal", `no thread for handlers: ${why}`);
    const path = fileURLToPath(handlersUrl);
    throw new ElasticJobError("invalid_argument", `HANDLERS: could not load ${path}: ${why}`);
  } finally {
    cancel();
  }
  const { schemasLeftOut } = pool;
  if (schemasLeftOut.length > 0) {
    logger.warn({ schemasLeftOut }, "HANDLERS: schemas that are too large are told to nobody");
  }
  return pool;
}

class ThreadPool implements HandlerThreads {
  private offer = NO_OFFER;
  private readonly parts: ThreadParts;
  private readonly size: number;
  /** Every thread that there is, also those on their way in or out. */
  private readonly all = new Set<Thread>();
  /** Those that share the jobs. */
  private shared: Thread[] = [];
  private readonly retiring = new Set<Thread>();
  /** Those whose module has been loaded anew since: each goes when what runs in it has ended. */
  private readonly leaving = new Set<Thread>();
  private readonly suspects = new Suspects();
  /** Executions that have no thread yet, while none can be started. */
  private waiting: WaitingExecution[] = [];
  private readonly lone: LoneThreads;
  private isStopped = false;
  private cancelWatch = () => {};
  private readonly restarts = new Set<() => void>();

  constructor({
    threads,
    handlersUrl,
    builtIn,
    env,
    scrubber,
    addJob,
    limits,
    clock,
    logger,
  }: ThreadPoolOptions) {
    this.size = threads;
    this.parts = {
      handlersUrl,
      builtIn: builtIn ?? DEFAULT_BUILT_IN_SETTINGS,
      env,
      scrubber: scrubber ?? (() => NOTHING_KNOWN),
      addJob: addJob ?? (() => Promise.reject(new Error("no jobs can be added here"))),
      limits: { ...THREAD_LIMITS, ...limits },
      clock,
      logger,
    };
    this.lone = new LoneThreads({
      size: threads,
      restartMs: this.parts.limits.restartMs,
      logger,
      create: ({ gone, idle }) => this.createThread({ retire: () => {}, gone, idle }),
      later: (ms, act) => this.later(ms, act),
    });
  }

  get handlers(): readonly string[] {
    return this.offer.handlers;
  }

  get hasRunJob(): boolean {
    return this.offer.hasRunJob;
  }

  get schedules(): string | null {
    return this.offer.schedules;
  }

  get schemas(): readonly HandlerSchemas[] {
    return this.offer.schemas;
  }

  get schemasLeftOut(): readonly string[] {
    return this.offer.schemasLeftOut;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.size }, () => this.startShared()));
    const [first] = this.shared;
    this.offer = first?.offer ?? NO_OFFER;
    this.watch();
  }

  run(execution: Execution, ended: (end: ExecutionEnd) => void, listener?: Listener): RunningExecution {
    const runsAlone = execution.alone || this.suspects.runsAlone(execution.jobId);
    const thread = runsAlone ? undefined : this.leastBusy();
    if (thread !== undefined) return thread.run(execution, ended, listener);
    const { clock, limits } = this.parts;
    const waiting = new WaitingExecution({ execution, ended, listener, clock, limitMs: limits.startMs });
    if (this.isStopped) {
      queueMicrotask(() => waiting.giveUp("the node has stopped"));
    } else if (runsAlone) {
      this.lone.add(waiting);
    } else {
      this.waiting = [...this.waiting.filter(({ isSettled }) => !isSettled), waiting];
    }
    return waiting;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelWatch();
    for (const cancel of this.restarts) cancel();
    const reason = "the node has stopped";
    for (const waiting of this.waiting) waiting.giveUp(reason);
    this.lone.stop(reason);
    await Promise.all([...this.all].map((thread) => thread.stop(reason)));
  }

  async reload(accepts: (offer: Offer) => void): Promise<void> {
    const fresh = Array.from({ length: this.size }, () => this.createShared());
    try {
      await Promise.all(fresh.map(({ ready }) => ready));
      accepts(fresh[0]?.offer ?? NO_OFFER);
    } catch (error) {
      await Promise.all(fresh.map((thread) => thread.stop("its module is not used")));
      throw error;
    }
    // What was to be started for the old ones is here.
    for (const cancel of this.restarts) cancel();
    this.restarts.clear();
    const old = this.shared;
    const [first] = fresh;
    this.shared = fresh;
    this.offer = first?.offer ?? NO_OFFER;
    for (const thread of old) {
      this.leaving.add(thread);
      this.letGo(thread);
    }
    if (first !== undefined) this.runWaitingIn(first);
  }

  private letGo(thread: Thread): void {
    if (this.leaving.has(thread) && thread.size === 0) void thread.stop("its module was loaded anew");
  }

  private runWaitingIn(thread: Thread): void {
    for (const waiting of this.waiting.splice(0)) if (!waiting.isSettled) waiting.runIn(thread);
  }

  /** One that is blocked gets a job only when all are. */
  private leastBusy(): Thread | undefined {
    let best: Thread | undefined;
    let bestIsBlocked = false;
    for (const thread of this.shared) {
      // While it ends, what ran in it is told so one by one, and each may let another begin.
      if (thread.isKilled) continue;
      const isBlocked = thread.blockedMs() >= this.parts.limits.blockedMs;
      if (best === undefined || (bestIsBlocked && !isBlocked)) {
        best = thread;
        bestIsBlocked = isBlocked;
      } else if (isBlocked === bestIsBlocked && thread.size < best.size) {
        best = thread;
      }
    }
    return best;
  }

  private async startShared(): Promise<void> {
    const thread = this.createShared();
    await thread.ready;
    // The module was loaded anew meanwhile, and others are there.
    if (this.shared.length >= this.size) return thread.stop("there are enough threads");
    this.shared.push(thread);
    this.runWaitingIn(thread);
  }

  private createShared(): Thread {
    const thread: Thread = this.createThread({
      retire: () => this.retire(thread),
      gone: () => {
        this.retiring.delete(thread);
        this.leaving.delete(thread);
        if (this.shared.includes(thread)) this.replace(thread);
      },
      idle: () => this.letGo(thread),
    });
    return thread;
  }

  private replace(thread: Thread): void {
    this.shared = this.shared.filter((other) => other !== thread);
    const { clock, limits } = this.parts;
    // One that dies of itself must not be started over and over without a pause.
    const isYoung = clock.monotonic() - thread.startedAt < limits.restartMs;
    this.restartAfter(isYoung ? limits.restartMs : 0);
  }

  private restartAfter(ms: number): void {
    this.later(ms, () => {
      this.startShared().catch((error: unknown) => {
        if (this.isStopped) return;
        this.parts.logger.error({ error }, "could not start a thread for handlers; trying again");
        this.restartAfter(this.parts.limits.restartMs);
      });
    });
  }

  /** Takes it out of service; at most as many as share the jobs linger on. */
  private retire(thread: Thread): void {
    if (!this.shared.includes(thread)) return;
    this.replace(thread);
    this.retiring.add(thread);
    const [oldest] = this.retiring;
    if (this.retiring.size > this.size) oldest?.hurry();
  }

  private createThread(
    events: Pick<ThreadEvents, "retire" | "gone"> & { readonly idle?: () => void },
  ): Thread {
    const thread: Thread = new Thread(this.parts, {
      retire: events.retire,
      gone: () => {
        this.all.delete(thread);
        events.gone();
      },
      ended: ({ jobId }, part) => {
        if (part === "culprit") this.suspects.convict(jobId);
        else if (part === "suspect") this.suspects.suspect(jobId);
        else this.suspects.clear(jobId);
        if (thread.size === 0) events.idle?.();
      },
    });
    this.all.add(thread);
    return thread;
  }

  private later(ms: number, act: () => void): void {
    if (this.isStopped) return;
    const cancel = this.parts.clock.after(ms, () => {
      this.restarts.delete(cancel);
      act();
    });
    this.restarts.add(cancel);
  }

  /** Looks for blocked threads. */
  private watch(): void {
    for (const thread of this.all) thread.check();
    this.cancelWatch = this.parts.clock.after(TURN_MS, () => this.watch());
  }
}
