/**
 * One worker thread, as the node sees it: what runs in it, whether it turns, and how what ran in it
 * ends when it does. An execution ends once: by the thread's answer, or when the thread is gone, not
 * before; so an attempt's retry never runs beside a handler that ignores its abort.
 *
 * - Loading: its module is being read. `ready` leaves it; a module that does not load, or not in time, kills it.
 * - Serving: it takes jobs. A handler that ignores its abort leaves it for retiring; one that blocks it, for killed.
 * - Retiring: it takes no more jobs, and its others may end. It is killed when all that is left is overdue, when they
 *   took too long, or when somebody hurries it.
 * - Ending: nobody needs it any more, and what its handlers share there is put away before it is killed.
 * - Killed: `verdict` says who is to blame. What it has answered before still counts.
 * - Gone: whatever still ran in it has ended by that verdict.
 */
import { ElasticJobError } from "../core/errors.ts";
import { NO_OFFER, type Offer, packRun, type SaidLine } from "./executor-messages.ts";
import type { Execution, ExecutionEnd, Listener, RunningExecution } from "./executors.ts";
import { scrubLine } from "./log/line-text.ts";
import { namedJobs } from "./named-jobs.ts";
import { scrubEnd, scrubOutput } from "./scrub-end.ts";
import { ThreadEnding } from "./thread-ending.ts";
import { ThreadLoading } from "./thread-loading.ts";
import { nextKey } from "./thread-signals.ts";
import { ThreadTurns } from "./thread-turns.ts";
import { endIn, NOT_KNOWN, type Part, partIn, type Verdict, verdictOnError } from "./thread-verdict.ts";
import { type AddMessage, type Dying, type ThreadParts, ThreadWorker } from "./thread-worker.ts";

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
  readonly listener: Listener | undefined;
  /** Cancels of its timers. */
  readonly cancels: (() => void)[];
  isTimedOut: boolean;
  /** Aborts the adds of it that are under way; null: there were none. */
  adding: AbortController | null;
  /** Why it should have ended by now; null: it may go on. */
  overdue: string | null;
}

export class Thread {
  offer: Offer = NO_OFFER;
  readonly startedAt: number;
  /** Resolves once it takes jobs; rejects with what is wrong with the user's module. */
  readonly ready: Promise<void>;
  private readonly parts: ThreadParts;
  private readonly events: ThreadEvents;
  private readonly worker: ThreadWorker;
  private readonly turns: ThreadTurns;
  private readonly ending: ThreadEnding;
  private readonly running = new Map<number, Running>();
  private lastKey = 0;
  private verdict: Verdict | null = null;
  private isGone = false;
  private cancelRetirement = () => {};

  constructor(parts: ThreadParts, events: ThreadEvents) {
    this.parts = parts;
    this.events = events;
    this.startedAt = parts.clock.monotonic();
    const loading = new ThreadLoading({
      clock: parts.clock,
      limitMs: parts.limits.startMs,
      giveUp: () => void this.stop("its handlers could not be loaded"),
    });
    this.ready = loading.ready;
    const { clock, logger } = parts;
    this.ending = new ThreadEnding({ clock, logger, limitMs: parts.limits.teardownMs });
    this.worker = new ThreadWorker(parts, {
      settingUp: () => loading.settingUp(),
      ready: (offer) => {
        this.offer = offer;
        loading.loaded();
      },
      broken: (message) => loading.failed(parts.scrubber().text(message)),
      tornDown: (problem) => this.ending.tornDown(problem && parts.scrubber().text(problem)),
      ended: (key, end) => this.ended(key, scrubEnd(end, parts.scrubber())),
      answered: () => this.takeAnswers(),
      said: (lines) => this.said(lines),
      adds: (message) => this.adds(message),
      progressed: (key, progress) => {
        const text = parts.scrubber().text(progress.text);
        this.running.get(key)?.listener?.progressed({ ...progress, text });
      },
      dying: (message) => this.dies({ ...message, end: scrubEnd(message.end, parts.scrubber()) }),
      failed: (error) => this.failed(error),
      exited: (code) => {
        loading.exited(code, this.verdict);
        this.ending.exited();
        this.exited();
      },
    });
    this.turns = new ThreadTurns(this.worker.signals, parts.clock);
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

  run(execution: Execution, ended: (end: ExecutionEnd) => void, listener?: Listener): RunningExecution {
    const key = nextKey(this.lastKey);
    this.lastKey = key;
    const running: Running = {
      execution,
      ended,
      listener,
      cancels: [],
      isTimedOut: false,
      adding: null,
      overdue: null,
    };
    this.running.set(key, running);
    this.worker.run(packRun(key, execution));
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
    const whose = namedJobs(this.running, this.certainCulprit());
    this.parts.logger.warn(whose, "a thread for handlers is blocked; replacing it");
    this.killBlocked("the handler blocked its thread", null);
  }

  /** For the sake of nobody in it. Resolves when it is gone. */
  async stop(reason: string): Promise<void> {
    const verdict = { reason, culprits: new Set<number>(), isSure: true, end: null, isBlocked: false };
    if (!this.isKilled && this.offer.hasTeardown) {
      // From now on it counts as killed, and is given nothing more.
      this.verdict = verdict;
      this.worker.tearDown();
      await this.ending.wait();
    }
    await this.kill(verdict);
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
    this.worker.abort(key, reason);
    running.adding?.abort();
    running.cancels.push(this.parts.clock.after(graceMs, () => this.force(key, running, reason)));
  }

  private force(key: number, running: Running, reason: string): void {
    this.takeAnswers();
    if (!this.running.has(key) || this.isKilled) return;
    const whose = namedJobs(this.running, key);
    this.parts.logger.warn(whose, "a handler ignores its abort; replacing its thread");
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
    const certain = this.certainCulprit();
    const culprit = certain ?? likely;
    const culprits = culprit === null ? null : new Set([culprit]);
    void this.kill({ reason, culprits, isSure: certain !== null, end: null, isBlocked: true });
  }

  /** Whose code it is in, or the only one that runs. Null: nobody knows. */
  private certainCulprit(): number | null {
    const [only = null] = this.running.size === 1 ? this.running.keys() : [];
    return this.worker.signals.inside ?? only;
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
    running.adding?.abort();
    // Whatever a handler makes of its abort at the deadline, it was too late.
    running.ended(running.isTimedOut && end.kind !== "lost" ? { kind: "timed_out" } : end);
    this.events.ended(running.execution, part);
    if (part === "none") this.hurryIfAllAreOverdue();
  }

  private adds({ key, call, request }: AddMessage): void {
    const running = this.running.get(key);
    if (running === undefined) return;
    running.adding ??= new AbortController();
    void this.parts.addJob(request, running.adding.signal).then(
      (jobId) => this.worker.added(key, call, { jobId }),
      (error: unknown) => {
        const code = error instanceof ElasticJobError ? error.code : "unknown";
        const message = error instanceof Error ? error.message : String(error);
        this.worker.added(key, call, { code, message });
      },
    );
  }

  private said(lines: readonly SaidLine[]): void {
    const scrubber = this.parts.scrubber();
    for (const [key, line] of lines) this.running.get(key)?.listener?.said(scrubLine(line, scrubber));
  }

  private takeAnswers(): void {
    const scrubber = this.parts.scrubber();
    this.worker.answers.take((key, output) =>
      this.ended(key, { kind: "succeeded", output: scrubOutput(output, scrubber) }),
    );
  }

  private exited(): void {
    this.takeAnswers();
    this.isGone = true;
    this.cancelRetirement();
    this.worker.killGroups();
    const verdict = this.verdict ?? NOT_KNOWN;
    for (const [key, running] of [...this.running]) {
      const part = partIn(verdict, key, this.worker.signals.hasTaken(key));
      this.ended(key, endIn(verdict, part, running.isTimedOut), part);
    }
    this.events.gone();
  }

  private failed(error: unknown): void {
    // What it had answered by then has no part in it.
    this.takeAnswers();
    const culprit = this.certainCulprit();
    this.verdict ??= verdictOnError(error, culprit);
    this.sayDied("a thread for handlers has died", culprit, error);
  }

  private dies({ key, reason, end }: Dying): void {
    const error = end.kind === "failed" ? end.error : null;
    const culprits = key === null ? null : new Set([key]);
    const why = `its thread has died of ${reason}: ${error?.message ?? ""}`;
    this.verdict ??= { reason: why, culprits, isSure: key !== null, end, isBlocked: false };
    this.sayDied(`a thread for handlers has died of ${reason}`, key, error);
  }

  private sayDied(message: string, culprit: number | null, error: unknown): void {
    // What it had answered by then has no part in it.
    this.takeAnswers();
    this.parts.logger.error({ ...namedJobs(this.running, culprit), error }, message);
  }
}
