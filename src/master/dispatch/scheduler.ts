import type { MasterContext } from "../context.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { Dispatcher } from "./dispatcher.ts";

/**
 * How long before its time a job is moved: what placing and claiming takes, and a pause of a loaded master. Its
 * node has it by then, and begins it on time.
 */
const AHEAD_MS = 20;
/** Jobs moved in one go: bounds how long the event loop is held, and so how late others start. */
const MAX_MOVED = 1000;

/**
 * changeJob: moves jobs that are (all but) due from waiting to prepared, and has them given out. One timer,
 * armed for the first job of waiting; nothing is polled.
 */
export class Scheduler {
  private readonly context: MasterContext;
  private readonly memory: Pick<JobMemory, "queues">;
  private readonly dispatcher: Pick<Dispatcher, "tick">;
  private cancelTimer: (() => void) | null = null;
  private armedFor = Number.POSITIVE_INFINITY;
  private isQueued = false;
  private isStopped = false;

  constructor(
    context: MasterContext,
    memory: Pick<JobMemory, "queues">,
    dispatcher: Pick<Dispatcher, "tick">,
  ) {
    this.context = context;
    this.memory = memory;
    this.dispatcher = dispatcher;
  }

  /** Something changed: jobs were placed into waiting, or nodes take more. Many calls make one tick. */
  wake(): void {
    if (this.isQueued || this.isStopped) return;
    this.isQueued = true;
    // After all that is ready now, so that one turn places what many messages and commits brought.
    this.context.clock.after(0, () => {
      this.isQueued = false;
      if (!this.isStopped) this.changeJob();
    });
  }

  /** One turn of the loop. */
  changeJob(): void {
    const moved = this.memory.queues.prepareDue(this.context.time.now() + AHEAD_MS, MAX_MOVED);
    this.dispatcher.tick();
    if (moved === MAX_MOVED) this.arm(0);
    else this.armForNext();
  }

  /** For good. */
  stop(): void {
    this.isStopped = true;
    this.disarm();
  }

  private disarm(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.armedFor = Number.POSITIVE_INFINITY;
  }

  private armForNext(): void {
    const due = this.memory.queues.nextDue();
    if (due === null) this.disarm();
    else if (due !== this.armedFor || this.cancelTimer === null) {
      this.arm(Math.max(0, due - AHEAD_MS - this.context.time.now()));
      this.armedFor = due;
    }
  }

  private arm(ms: number): void {
    this.cancelTimer?.();
    this.armedFor = Number.POSITIVE_INFINITY;
    this.cancelTimer = this.context.clock.after(ms, () => {
      this.cancelTimer = null;
      this.changeJob();
    });
  }
}
