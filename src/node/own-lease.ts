/**
 * How long this node may run without word from a master (G7). It counts from when the node sent the
 * ping that an answer echoes: so it has always lapsed here before the master gives the node's jobs to others.
 */
import { type Clock, sleep } from "../core/clock.ts";
import { leaseUntil } from "../core/lease.ts";

const LOOKS_PER_LEASE = 5;

export class Lease {
  private readonly clock: Clock;
  private readonly leaseMs: number;
  /** Monotonic; null: none runs. */
  private end: number | null = null;

  constructor(clock: Clock, leaseMs: number) {
    this.clock = clock;
    this.leaseMs = leaseMs;
  }

  /** A master has answered the ping that was sent then (monotonic). */
  confirm(pingSentAt: number): void {
    this.end = Math.max(this.end ?? 0, leaseUntil(pingSentAt, this.leaseMs));
  }

  get holds(): boolean {
    return this.end !== null && this.clock.monotonic() < this.end;
  }

  /** Calls back each time the lease lapses, until the signal aborts. */
  async guard(signal: AbortSignal, lapsed: () => void): Promise<void> {
    // A machine that sleeps may stop the monotonic clock: the wall clock shows it on waking.
    let offsetMs = this.clock.now() - this.clock.monotonic();
    while (!signal.aborted) {
      const jumpedMs = Math.max(0, this.clock.now() - this.clock.monotonic() - offsetMs);
      offsetMs = this.clock.now() - this.clock.monotonic();
      const leftMs = this.end === null ? this.leaseMs : this.end - this.clock.monotonic() - jumpedMs;
      if (leftMs > 0) {
        await sleep(this.clock, Math.min(leftMs, this.leaseMs / LOOKS_PER_LEASE), signal);
      } else {
        this.end = null;
        lapsed();
      }
    }
  }
}
