import type { Clock } from "../core/clock.ts";
import { TURN_MS } from "./executor-messages.ts";
import type { SignalReader } from "./thread-signals.ts";

/** Whether a thread's event loop turns, from samples of how often it has. */
export class ThreadTurns {
  private readonly signals: SignalReader;
  private readonly clock: Clock;
  private lastTurns = 0;
  private lastSampleAt: number;
  private blockedForMs = 0;

  constructor(signals: SignalReader, clock: Clock) {
    this.signals = signals;
    this.clock = clock;
    this.lastSampleAt = clock.monotonic();
  }

  /** How long it has not turned. Wants to be asked every TURN_MS. */
  blockedMs(): number {
    const now = this.clock.monotonic();
    const { turns } = this.signals;
    // While the whole process stood still, its threads could not turn either.
    const elapsedMs = Math.min(now - this.lastSampleAt, 2 * TURN_MS);
    this.blockedForMs = turns === this.lastTurns ? this.blockedForMs + elapsedMs : 0;
    this.lastTurns = turns;
    this.lastSampleAt = now;
    return this.blockedForMs;
  }
}
