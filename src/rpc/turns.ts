/**
 * Work that takes longer than the loop may be held: it is done in slices, between which renewals, pings and other calls
 * have their turn. All who have such work go one after another, so that it is one slice at a time however many they are.
 */
const SLICE_MS = 10;

class Turns {
  private readonly waiting: (() => void)[] = [];
  private startedAt = 0;

  /** Work begins that has not waited for a slice: what was done before it is not counted. */
  start(): void {
    this.startedAt = performance.now();
  }

  /** Whether the slice has lasted as long as it may. */
  get isOver(): boolean {
    return performance.now() - this.startedAt >= SLICE_MS;
  }

  /** Resolves at the beginning of a slice, when all else has had its turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length === 1) setImmediate(this.begin);
    });
  }

  private readonly begin = (): void => {
    const resolve = this.waiting.shift();
    if (this.waiting.length > 0) setImmediate(this.begin);
    this.startedAt = performance.now();
    resolve?.();
  };
}

export const turns = new Turns();
