import type { Clock } from "../../core/clock.ts";

/**
 * The master's next turn: whoever changes what could be given out asks for one, and many who ask get one together,
 * after all that is ready now. So one turn places what many messages and commits brought.
 */
export class Turn {
  private readonly clock: Clock;
  private take: () => void = () => undefined;
  private isAsked = false;
  private isStopped = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What is done in each turn. */
  onTurn(take: () => void): void {
    this.take = take;
  }

  /** Jobs were placed into waiting, or nodes take more. */
  ask(): void {
    if (this.isAsked || this.isStopped) return;
    this.isAsked = true;
    this.clock.after(0, () => {
      this.isAsked = false;
      if (!this.isStopped) this.take();
    });
  }

  /** There are no more turns, for good. */
  stop(): void {
    this.isStopped = true;
  }
}
