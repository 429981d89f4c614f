/** What all calls under way take of the heap, estimated, and bounded. What comes on top is refused before anything is made of it. */

/** Of any call: its stream, headers, context and promises. Measured: 10,000 that waited for their bodies took 250 MB. */
export const CALL_BYTES = 32 * 1024;
/** Up to here, a body is decoded as a whole, and a payload becomes objects: the worst is 75 times as large as its text. */
export const SMALL_BODY_BYTES = 16 * 1024;
const SMALL_BODY_WEIGHT = 32;
/** A large one is text, in pieces: the body, its text, the payloads, the rows, the statement. */
const LARGE_BODY_WEIGHT = 4;

export class CallBudget {
  private readonly most: number;
  private taken = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Null: there is no room. */
  enter(): CallShare | null {
    const share = new CallShare((bytes) => this.move(bytes));
    return share.isTaken ? share : null;
  }

  /** False: it would be too much. */
  private move(bytes: number): boolean {
    if (bytes > 0 && this.taken + bytes > this.most) return false;
    this.taken += bytes;
    return true;
  }
}

/** What one call has of the budget. */
export class CallShare {
  readonly isTaken: boolean;
  private readonly move: (bytes: number) => boolean;
  private own = 0;
  private body = 0;
  private held = 0;
  private hasEnded = false;

  constructor(move: (bytes: number) => boolean) {
    this.move = move;
    this.isTaken = this.takeUpTo(CALL_BYTES);
  }

  /** Whether there is room for so many more bytes of its body, as they come or inflated. */
  takeBody(bytes: number): boolean {
    this.body += bytes;
    return this.takeUpTo(this.estimate);
  }

  /** The same of a message on a stream, for a while; less than 0: not any longer. */
  hold(bytes: number): boolean {
    this.held += bytes;
    if (this.takeUpTo(this.estimate)) return true;
    this.held -= bytes;
    return false;
  }

  private get estimate(): number {
    const weight = this.body > SMALL_BODY_BYTES ? LARGE_BODY_WEIGHT : SMALL_BODY_WEIGHT;
    return CALL_BYTES + this.body * weight + this.held * LARGE_BODY_WEIGHT;
  }

  end(): void {
    this.hasEnded = true;
    this.takeUpTo(0);
  }

  private takeUpTo(bytes: number): boolean {
    const isMoved = this.move((this.hasEnded ? 0 : bytes) - this.own);
    if (isMoved) this.own = this.hasEnded ? 0 : bytes;
    return isMoved;
  }
}
