import type { Queues } from "../../core/queues/queues.ts";
import type { MasterContext } from "../context.ts";
import type { Turn } from "../memory/turn.ts";
import type { Dispatcher } from "./dispatcher.ts";

/**
 * How long before its time a job is moved: what placing and claiming takes, and a pause of a loaded master. Its
 * node has it by then, and begins it on time.
 */
const AHEAD_MS = 20;
/** Jobs moved in one go: bounds how long the event loop is held, and so how late others start. */
const MAX_MOVED = 1000;

export interface SchedulerParts {
  readonly queues: Queues;
  readonly dispatcher: Pick<Dispatcher, "tick">;
  readonly turn: Turn;
}

/**
 * changeJob: moves jobs that are (all but) due from waiting to prepared, and has them given out. One timer,
 * armed for the first job of waiting; nothing is polled.
 */
export class Scheduler {
  private readonly context: MasterContext;
  private readonly parts: SchedulerParts;
  private cancelTimer: (() => void) | null = null;
  private armedFor = Number.POSITIVE_INFINITY;

  constructor(context: MasterContext, parts: SchedulerParts) {
    this.context = context;
    this.parts = parts;
    parts.turn.onTurn(() => this.changeJob());
  }

  /** One turn of the loop. */
  changeJob(): void {
    const moved = this.parts.queues.prepareDue(this.context.time.now() + AHEAD_MS, MAX_MOVED);
    this.parts.dispatcher.tick();
    if (moved === MAX_MOVED) this.arm(0);
    else this.armForNext();
  }

  /** For good. */
  stop(): void {
    this.parts.turn.stop();
    this.disarm();
  }

  private disarm(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.armedFor = Number.POSITIVE_INFINITY;
  }

  private armForNext(): void {
    const due = this.parts.queues.nextDue();
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
