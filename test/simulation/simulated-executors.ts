/** Handlers as events on the virtual clock: the payload says how one behaves. */
import type { Clock } from "../../src/core/clock.ts";
import type { Execution, ExecutionEnd, RunningExecution } from "../../src/node/executors.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { MortalExecutors } from "../../src/testing/simulated-node.ts";
import type { Execution as ExecutionEntry } from "./evidence.ts";

/** How a simulated handler behaves; the payload of its job. */
export interface Behaviour {
  /** How long it runs. */
  readonly ms: number;
  /** The first attempts fail. */
  readonly failures?: number;
  /** The first attempts end their thread. */
  readonly losses?: number;
  /** It does not end when it is aborted: its thread has to be ended. */
  readonly ignoresAbort?: boolean;
  /** Each try is decided by a chance that depends on its job, occurrence and number alone. */
  readonly chances?: {
    readonly failure: number;
    readonly loss: number;
    readonly slow: number;
    readonly slowMs: number;
  };
}

export const HANDLER = "work";

interface Running {
  readonly entry: ExecutionEntry;
  readonly end: (end: ExecutionEnd) => void;
}

export class SimulatedExecutors implements MortalExecutors {
  readonly handlers = [HANDLER];
  readonly hasRunJob = false;
  readonly schemas = [];
  private readonly clock: Clock;
  private readonly started: (execution: Execution) => ExecutionEntry;
  private readonly now: () => number;
  private readonly running = new Set<Running>();

  constructor(parts: { clock: Clock; started: (execution: Execution) => ExecutionEntry; now: () => number }) {
    this.clock = parts.clock;
    this.started = parts.started;
    this.now = parts.now;
  }

  run(execution: Execution, ended: (end: ExecutionEnd) => void): RunningExecution {
    const behaviour = decided(JSON.parse(execution.payload ?? '{"ms":0}') as Behaviour, execution);
    let isTimedOut = false;
    const cancels: (() => void)[] = [];
    const running: Running = {
      entry: this.started(execution),
      end: (end) => {
        if (!this.running.delete(running)) return;
        for (const cancel of cancels) cancel();
        running.entry.endedAt = this.now();
        ended(isTimedOut ? { kind: "timed_out" } : end);
      },
    };
    this.running.add(running);
    const after = (ms: number, run: () => void) => void cancels.push(this.clock.after(ms, run));
    const abort = (reason: string, graceMs: number) => {
      const aborted: ExecutionEnd = {
        kind: "failed",
        error: { name: "AbortError", message: reason },
        isPermanent: false,
      };
      if (behaviour.ignoresAbort)
        after(graceMs, () => running.end({ kind: "lost", reason, isBlameless: false }));
      else after(1, () => running.end(aborted));
    };
    after(behaviour.ms, () => running.end(endOf(behaviour, execution.attempt)));
    if (execution.timeoutMs !== null) {
      after(execution.timeoutMs, () => {
        isTimedOut = true;
        abort("timed out", 1000);
      });
    }
    return { abort };
  }

  /** The process has died. */
  die(): void {
    for (const { entry } of this.running) {
      entry.endedAt = this.now();
      entry.wasAbandoned = true;
    }
    this.running.clear();
  }

  async stop(): Promise<void> {
    this.die();
  }
}

function decided(behaviour: Behaviour, { jobId, scheduledAt, attempt }: Execution): Behaviour {
  const { chances } = behaviour;
  if (chances === undefined) return behaviour;
  const random = new SeededRandom(jobId * 7_919 + Math.floor(scheduledAt / 1000) + attempt * 104_729);
  const isSlow = random.chance(chances.slow);
  return {
    ...behaviour,
    ms: isSlow ? random.between(behaviour.ms, chances.slowMs) : behaviour.ms,
    failures: random.chance(chances.failure) ? attempt : 0,
    losses: random.chance(chances.loss) ? attempt : 0,
  };
}

function endOf({ failures = 0, losses = 0 }: Behaviour, attempt: number): ExecutionEnd {
  if (attempt <= losses) return { kind: "lost", reason: "its thread has died", isBlameless: false };
  if (attempt <= failures) {
    return { kind: "failed", error: { name: "Error", message: "it was to fail" }, isPermanent: false };
  }
  return { kind: "succeeded", output: null };
}
