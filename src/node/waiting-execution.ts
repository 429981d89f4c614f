import type { Clock } from "../core/clock.ts";
import type { Execution, ExecutionEnd, Listener, RunningExecution } from "./executors.ts";
import type { Thread } from "./thread.ts";

/** An execution until it has a thread, and what its node holds on to it by. */
export class WaitingExecution implements RunningExecution {
  readonly execution: Execution;
  private readonly ended: (end: ExecutionEnd) => void;
  private readonly listener: Listener | undefined;
  private readonly clock: Clock;
  private readonly since: number;
  private readonly cancelLimit: () => void;
  private running: RunningExecution | null = null;
  private isOver = false;

  constructor(parts: {
    readonly execution: Execution;
    readonly ended: (end: ExecutionEnd) => void;
    readonly listener: Listener | undefined;
    readonly clock: Clock;
    readonly limitMs: number;
  }) {
    this.execution = parts.execution;
    this.ended = parts.ended;
    this.listener = parts.listener;
    this.clock = parts.clock;
    this.since = parts.clock.monotonic();
    this.cancelLimit = parts.clock.after(parts.limitMs, () => this.giveUp("the node has no thread for it"));
  }

  /** It has a thread, or needs none any more. */
  get isSettled(): boolean {
    return this.isOver || this.running !== null;
  }

  runIn(thread: Thread): void {
    this.cancelLimit();
    const { deadline } = this.execution;
    // Its time counts from now.
    const waitedMs = this.clock.monotonic() - this.since;
    const execution =
      deadline === null ? this.execution : { ...this.execution, deadline: deadline + waitedMs };
    this.running = thread.run(execution, this.ended, this.listener);
  }

  abort(reason: string, graceMs: number): void {
    if (this.running === null) this.giveUp(reason);
    else this.running.abort(reason, graceMs);
  }

  giveUp(reason: string): void {
    if (this.isSettled) return;
    this.isOver = true;
    this.cancelLimit();
    this.ended({ kind: "lost", reason, isBlameless: true });
  }
}
