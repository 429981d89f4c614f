/**
 * Many items, few batches: what is added while batches are under way waits, and goes together into the next one. So
 * batches grow with the load, and a lone item waits for nothing.
 */
export interface GatherOptions<Item> {
  /** How many batches may be under way. */
  readonly mostBatches: number;
  /**
   * How many of those that wait, from the front, make the next batch beside `underWay` others. 0: they wait on, until
   * one is added, a batch ends, or `flush` is called.
   */
  readonly take: (waiting: readonly Item[], underWay: number) => number;
  /** Carries a batch out. It never rejects. */
  readonly run: (batch: readonly Item[]) => Promise<void>;
  /** Calls `flush` when the others that are added in the same turn of the event loop are there: `queueMicrotask`, or later. */
  readonly soon: (flush: () => void) => void;
  /** Called each time that nothing waits and no batch is under way. */
  readonly idle?: () => void;
}

export class Gather<Item> {
  private readonly options: GatherOptions<Item>;
  private readonly items: Item[] = [];
  private batches = 0;
  private isFlushQueued = false;

  constructor(options: GatherOptions<Item>) {
    this.options = options;
  }

  /** How many items wait for their batch. */
  get waiting(): number {
    return this.items.length;
  }

  /** How many batches are under way. */
  get underWay(): number {
    return this.batches;
  }

  add(item: Item): void {
    this.items.push(item);
    if (this.isFlushQueued) return;
    this.isFlushQueued = true;
    const { soon } = this.options;
    soon(() => {
      this.isFlushQueued = false;
      this.flush();
    });
  }

  /** Begins as many batches as may be under way now. */
  flush(): void {
    const { mostBatches, take, run, idle } = this.options;
    while (this.batches < mostBatches && this.items.length > 0) {
      const count = take(this.items, this.batches);
      if (count === 0) return;
      this.batches++;
      void run(this.items.splice(0, count)).finally(() => {
        this.batches--;
        this.flush();
      });
    }
    if (this.batches === 0 && this.items.length === 0) idle?.();
  }
}
