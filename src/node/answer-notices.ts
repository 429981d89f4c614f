import { setImmediate } from "node:timers";

/** A turn of the event loop in which handlers have computed for longer than this is slow. */
const SLOW_TURN_MS = 5;

/**
 * When a thread tells its node that answers lie ready in shared memory: once for all those of a turn,
 * as a message costs more than a quick handler. After a slow turn each is told at once, so that none
 * waits for what its neighbours compute. (A thread that is blocked without warning is looked into.)
 */
export class AnswerNotices {
  private readonly tell: () => void;
  private firstAt: number | null = null;
  private wasSlow = false;

  constructor(tell: () => void) {
    this.tell = tell;
  }

  answered(): void {
    const now = performance.now();
    if (this.firstAt === null) {
      this.firstAt = now;
      setImmediate(() => this.turnEnded());
    }
    if (this.wasSlow || now - this.firstAt > SLOW_TURN_MS) this.tell();
  }

  private turnEnded(): void {
    this.wasSlow = this.firstAt !== null && performance.now() - this.firstAt > SLOW_TURN_MS;
    this.firstAt = null;
    this.tell();
  }
}
