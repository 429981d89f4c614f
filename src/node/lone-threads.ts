/**
 * Threads for one job each: for executions that have to run alone, as they may take down the thread that they run in.
 * One that is free takes the next that waits, and ends when none does.
 */
import type { Logger } from "../core/logger.ts";
import type { Thread } from "./thread.ts";
import type { WaitingExecution } from "./waiting-execution.ts";

export interface LoneThreadsParts {
  /** How many there are at most. */
  readonly size: number;
  readonly restartMs: number;
  readonly logger: Logger;
  readonly create: (events: { readonly gone: () => void; readonly idle: () => void }) => Thread;
  /** Unless the pool stops before. */
  readonly later: (ms: number, act: () => void) => void;
}

export class LoneThreads {
  private readonly parts: LoneThreadsParts;
  private waiting: WaitingExecution[] = [];
  private count = 0;
  /** How many of them have not started yet. */
  private starting = 0;
  private isStopped = false;

  constructor(parts: LoneThreadsParts) {
    this.parts = parts;
  }

  add(waiting: WaitingExecution): void {
    this.waiting.push(waiting);
    this.start();
  }

  /** Starts no more; the threads that there are end with the pool's others. */
  stop(reason: string): void {
    this.isStopped = true;
    for (const waiting of this.waiting) waiting.giveUp(reason);
  }

  /** Starts a thread for the next execution, unless there are enough of them. */
  private start(): void {
    const { size, restartMs, logger, create, later } = this.parts;
    this.waiting = this.waiting.filter(({ isSettled }) => !isSettled);
    if (this.isStopped || this.count >= size || this.starting >= this.waiting.length) return;
    this.count++;
    this.starting++;
    let isReady = false;
    const free = () => {
      this.count--;
      this.start();
    };
    const thread = create({
      gone: () => isReady && free(),
      idle: () => this.next(thread),
    });
    thread.ready
      .finally(() => this.starting--)
      .then(
        () => {
          isReady = true;
          this.next(thread);
        },
        (error: unknown) => {
          if (!this.isStopped) logger.error({ error }, "could not start a thread for one job");
          later(restartMs, free);
        },
      );
  }

  private next(thread: Thread): void {
    if (thread.isKilled) return;
    const next = this.waiting.find(({ isSettled }) => !isSettled);
    if (next === undefined) void thread.stop("no job needs it any more");
    else next.runIn(thread);
  }
}
