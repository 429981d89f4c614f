/**
 * Cluster time: one clock for all due, retry and result times, the master's estimate of the
 * database's. Each process follows it by samples; a correction is slewed, at most 10% of the time
 * that passes, so that the clock never goes back and never jumps.
 */
import type { Clock } from "./clock.ts";

const MAX_SLEW = 0.1;

export class ClusterTime {
  private readonly clock: Clock;
  /** At monotonic time `since`, cluster time was `base`, and was off by `correction`. */
  private since: number;
  private base: number;
  private correction = 0;

  /** `start`: the first sample, taken as it is. */
  constructor(clock: Clock, start: number) {
    this.clock = clock;
    this.since = clock.monotonic();
    this.base = start;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.at(this.clock.monotonic());
  }

  /** Follows a reading of the other clock, which was right at the middle of the round trip. */
  adjust(reading: number, sentAt: number, receivedAt: number): void {
    const now = this.clock.monotonic();
    const base = this.at(now);
    this.correction = reading + (now - (sentAt + receivedAt) / 2) - base;
    this.base = base;
    this.since = now;
  }

  /** By how much it was off at the last sample, in milliseconds. */
  get error(): number {
    return this.correction;
  }

  private at(monotonic: number): number {
    const passed = monotonic - this.since;
    const slew = Math.min(Math.abs(this.correction), passed * MAX_SLEW) * Math.sign(this.correction);
    return Math.floor(this.base + passed + slew);
  }
}
