import type { Clock } from "../core/clock.ts";
import type { HeldClaim } from "./held-claim.ts";

/** Claims that came ahead of their time, which is the cluster's: each is due once, unless it is taken back before. */
export class EarlyClaims {
  private readonly clock: Clock;
  private readonly due: (held: HeldClaim) => void;
  private readonly waiting = new Set<HeldClaim>();

  constructor(clock: Clock, due: (held: HeldClaim) => void) {
    this.clock = clock;
    this.due = due;
  }

  add(held: HeldClaim): void {
    this.waiting.add(held);
    const { time, assignment } = held;
    this.clock.after(assignment.startAt - time.now(), () => {
      if (!this.waiting.delete(held)) return;
      // A timer may be early by a little.
      if (assignment.startAt > time.now()) this.add(held);
      else this.due(held);
    });
  }

  /** False: it is not here (any more). */
  delete(held: HeldClaim): boolean {
    return this.waiting.delete(held);
  }

  takeAll(): HeldClaim[] {
    const all = [...this.waiting];
    this.waiting.clear();
    return all;
  }
}
