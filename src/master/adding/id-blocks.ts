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

  /** Before any is taken: in a restored database, what was reserved can be behind what is there. */
  async load(): Promise<void> {
    const raised = await this.context.store.raiseIds(this.context.epoch);
    if (raised === null) return;
    const { from, to } = raised;
    this.context.logger.warn(
      { from, to, ids: to - from },
      "ids go on above those that are in the database: fewer were reserved than are there, as after a restore",
    );
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
