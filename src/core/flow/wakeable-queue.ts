/** An item while it waits, for `remove`. */
export interface Queued<Item> {
  readonly item: Item;
  readonly size: number;
}

/** A queue whose reader sleeps until there is something to read. It has one reader. */
export class WakeableQueue<Item> implements AsyncIterable<Item> {
  private readonly waiting = new Set<Queued<Item>>();
  private waitingSize = 0;
  private isClosed = false;
  private wake: (() => void) | null = null;

  /** How many items the reader has not taken. */
  get count(): number {
    return this.waiting.size;
  }

  /** The sizes of these together. */
  get size(): number {
    return this.waitingSize;
  }

  /** Once the queue is closed, this adds nothing. */
  push(item: Item, size = 0): Queued<Item> {
    const queued = { item, size };
    if (this.isClosed) return queued;
    this.waiting.add(queued);
    this.waitingSize += size;
    this.wake?.();
    return queued;
  }

  /** Takes out what the reader has not taken, and need not any more. */
  remove(queued: Queued<Item>): void {
    if (this.waiting.delete(queued)) this.waitingSize -= queued.size;
  }

  /** The reader gets what waits, then ends. */
  close(): void {
    this.isClosed = true;
    this.wake?.();
  }

  /** The reader ends, and what waits is dropped. Returns whether it sleeps, and so will notice at once. */
  end(): boolean {
    const isAsleep = this.wake !== null;
    this.waiting.clear();
    this.waitingSize = 0;
    this.close();
    return isAsleep;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    for (;;) {
      // What is pushed meanwhile is among them.
      for (const queued of this.waiting) {
        this.remove(queued);
        yield queued.item;
      }
      if (this.isClosed) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
  }
}
