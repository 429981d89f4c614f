import type { MasterContext } from "../context.ts";

const BLOCK = 10_000;

/** New job ids, from blocks reserved in the database under the epoch. */
export class IdBlocks {
  private readonly context: MasterContext;
  private next = 0;
  private end = 0;
  private reserving: Promise<void> = Promise.resolve();

  constructor(context: MasterContext) {
    this.context = context;
  }

  /** The first of `count` ids in a row. */
  async take(count: number): Promise<number> {
    // Callers wait for each other only while a block is being reserved.
    while (this.next + count > this.end) {
      this.reserving = this.reserving.catch(() => undefined).then(() => this.reserve(count));
      await this.reserving;
    }
    const first = this.next;
    this.next += count;
    return first;
  }

  private async reserve(count: number): Promise<void> {
    if (this.next + count <= this.end) return;
    const size = Math.max(BLOCK, count);
    this.next = await this.context.store.reserveIds(this.context.epoch, size);
    this.end = this.next + size;
  }
}
