/**
 * Handlers in this thread, on virtual time. They are timed out, aborted and given up as in a node's threads; what only
 * threads can do, such as ending a handler that never awaits anything, is not simulated.
 */
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import type { ThreadLife } from "../jobs/thread-life.ts";
import { callHandler } from "../node/call-handler.ts";
import type { Execution, ExecutionEnd, RunningExecution } from "../node/executors.ts";
import { LateAbort } from "../node/late-abort.ts";
import { THREAD_LIMITS } from "../node/thread-limits.ts";
import { setUp, tearDown } from "../node/thread-resources.ts";
import type { HandlerRun, HandlerRuns } from "./handler-runs.ts";
import { LocalSayings } from "./local-sayings.ts";
import type { MortalExecutors } from "./simulated-node.ts";

export interface LocalExecutorsParts {
  readonly jobs: Jobs;
  /** What the module does before its handlers run, and after; null: nothing. */
  readonly life: ThreadLife | null;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Adds a job that a handler asks for: an AddJobRequest as JSON. */
  readonly addJob: (json: string) => Promise<string>;
  readonly runs: HandlerRuns;
}

const RUN_JOB = "runJob";

export class LocalExecutors implements MortalExecutors {
  readonly handlers: readonly string[];
  readonly hasRunJob: boolean;
  /** Nobody asks a simulated cluster what its handlers take. */
  readonly schemas: readonly [] = [];
  readonly #parts: LocalExecutorsParts;
  readonly #sayings: LocalSayings;
  /** What the module's setup gives, once a handler has asked for it. */
  #resources: Promise<unknown> | null = null;
  readonly #running = new Map<HandlerRun, LateAbort>();

  constructor(parts: LocalExecutorsParts) {
    this.#parts = parts;
    this.#sayings = new LocalSayings(parts.logger, parts.addJob);
    this.handlers = Object.keys(parts.jobs).filter((name) => name !== RUN_JOB);
    this.hasRunJob = Object.hasOwn(parts.jobs, RUN_JOB);
  }

  run(execution: Execution, ended: (end: ExecutionEnd) => void): RunningExecution {
    const { jobs, clock, runs, nodeId } = this.#parts;
    const handler = Object.hasOwn(jobs, execution.handler) ? jobs[execution.handler] : jobs[RUN_JOB];
    const abort = new LateAbort();
    const says = this.#sayings.of(execution);
    const cancels: (() => void)[] = [];
    let isTimedOut = false;
    const end = (how: ExecutionEnd) => {
      if (!this.#running.delete(run)) return;
      for (const cancel of cancels) cancel();
      // Whatever a handler makes of its abort at the deadline, it was too late.
      ended(isTimedOut ? { kind: "timed_out" } : how);
    };
    const run = runs.start({
      execution,
      nodeId,
      call: async () => callHandler(handler, execution, abort, { says, resources: await this.#setUp() }),
      ended: end,
    });
    this.#running.set(run, abort);

    const giveUp = (reason: string, graceMs: number) => {
      if (!this.#running.has(run)) return;
      // What listens to the signal is the handler's code.
      runs.inside(run, () => abort.abort(new DOMException(reason, "AbortError")));
      const force = () => {
        runs.abandon(run);
        end({ kind: "lost", reason: "the handler ignored its abort", isBlameless: false });
      };
      cancels.push(clock.after(graceMs, force));
    };
    if (execution.timeoutMs !== null) {
      const timeOut = () => {
        isTimedOut = true;
        giveUp("the attempt has timed out", THREAD_LIMITS.timeoutGraceMs);
      };
      cancels.push(clock.after(execution.timeoutMs, timeOut));
    }
    return { abort: giveUp };
  }

  async #setUp(): Promise<unknown> {
    const { life } = this.#parts;
    if (life === null) return undefined;
    this.#resources ??= setUp(life);
    return this.#resources;
  }

  die(): void {
    for (const run of this.#running.keys()) this.#parts.runs.abandon(run);
    this.#running.clear();
  }

  /** Tells what still runs that nobody waits for it, so that it lets go of what it holds. */
  async stop(): Promise<void> {
    const aborts = [...this.#running.values()];
    this.die();
    for (const abort of aborts) abort.abort(new DOMException("the cluster has been stopped", "AbortError"));
    const { life } = this.#parts;
    if (life === null || this.#resources === null) return;
    const problem = await tearDown(life, await this.#resources);
    if (problem !== null) throw new Error(`the module's teardown failed: ${problem}`);
  }
}
