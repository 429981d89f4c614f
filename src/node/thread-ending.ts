import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";

/** A thread that is to end in order, until its handlers have put away what they share there: in time, or it is ended without. */
export class ThreadEnding {
  private readonly parts: { readonly clock: Clock; readonly limitMs: number; readonly logger: Logger };
  private readonly over = Promise.withResolvers<void>();
  private isOver = false;

  constructor(parts: { readonly clock: Clock; readonly limitMs: number; readonly logger: Logger }) {
    this.parts = parts;
  }

  /** Resolves when the thread may be ended. */
  async wait(): Promise<void> {
    const { clock, limitMs } = this.parts;
    const cancel = clock.after(limitMs, () => this.tornDown(`it has not ended within ${limitMs} ms`));
    await this.over.promise;
    cancel();
  }

  /** `problem`: null: there was none. */
  tornDown(problem: string | null): void {
    if (this.isOver) return;
    this.isOver = true;
    if (problem !== null) {
      this.parts.logger.warn({ problem }, "the teardown of a thread for handlers failed; ending it without");
    }
    this.over.resolve();
  }

  /** The thread has gone. */
  exited(): void {
    this.isOver = true;
    this.over.resolve();
  }
}
