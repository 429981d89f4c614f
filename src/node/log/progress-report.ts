/** Tells the master how far jobs are, the latest of each, all that came in a short time in one message. */
import type { Clock } from "../../core/clock.ts";
import type { ClaimProgress } from "../../core/log/progress.ts";

const GATHER_MS = 100;

export class ProgressReport {
  readonly #clock: Clock;
  readonly #send: (progress: readonly ClaimProgress[]) => void;
  readonly #latest = new Map<number, ClaimProgress>();

  constructor(clock: Clock, send: (progress: readonly ClaimProgress[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  tell(progress: ClaimProgress): void {
    this.#latest.set(progress.jobId, progress);
    if (this.#latest.size > 1) return;
    this.#clock.after(GATHER_MS, () => {
      const all = [...this.#latest.values()];
      this.#latest.clear();
      this.#send(all);
    });
  }
}
