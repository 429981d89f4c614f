import type { Clock } from "../clock.ts";

/** A wait that others can end: for loops that sleep until there is something to do. */
export class Wakeup {
  private resolve: (() => void) | null = null;

  /** Ends the wait that is under way, if any. */
  wake(): void {
    this.resolve?.();
  }

  /** Resolves after `ms`, when woken, or when `signal` aborts. One wait at a time. */
  wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.resolve = null;
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.resolve = done;
      const cancel = clock.after(ms, done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
