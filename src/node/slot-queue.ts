import type { HeldClaim } from "./held-claim.ts";

/** A node's slots, and the claims that wait for some, in the order in which they came. */
export class SlotQueue {
  private readonly slots: number;
  private readonly execute: (held: HeldClaim) => void;
  private readonly waiting: HeldClaim[] = [];
  private busy = 0;

  constructor(slots: number, execute: (held: HeldClaim) => void) {
    this.slots = slots;
    this.execute = execute;
  }

  /** The one that has waited for longest. */
  get first(): HeldClaim | undefined {
    return this.waiting[0];
  }

  /** Runs it once there is room. */
  add(held: HeldClaim): void {
    if (this.waiting.length > 0 || !this.hasRoomFor(held)) this.waiting.push(held);
    else this.begin(held);
  }

  /** False: it does not wait here. */
  delete(held: HeldClaim): boolean {
    const place = this.waiting.indexOf(held);
    if (place < 0) return false;
    this.waiting.splice(place, 1);
    return true;
  }

  takeAll(): HeldClaim[] {
    return this.waiting.splice(0);
  }

  /** One that ran has ended. Whoever waits begins by `next`. */
  free({ assignment }: HeldClaim): void {
    this.busy -= assignment.slots;
  }

  next(): void {
    for (let next = this.waiting[0]; next !== undefined && this.hasRoomFor(next); next = this.waiting[0]) {
      this.waiting.shift();
      this.begin(next);
    }
  }

  private begin(held: HeldClaim): void {
    this.busy += held.assignment.slots;
    this.execute(held);
  }

  private hasRoomFor({ assignment }: HeldClaim): boolean {
    return this.busy === 0 || this.busy + assignment.slots <= this.slots;
  }
}
