import { WakeableQueue } from "../core/flow/wakeable-queue.ts";

/**
 * What waits to be written on a stream: pushed without waiting, read by the adapter as fast as the
 * other side takes it. Bounded: whoever fills it is told, and has to cut the stream.
 */
export class OutgoingQueue<T> implements AsyncIterable<T> {
  private readonly options: {
    readonly maxItems: number;
    readonly maxBytes: number;
    readonly sizeOf: (item: T) => number;
  };
  private readonly queue = new WakeableQueue<T>();

  constructor(options: OutgoingQueue<T>["options"]) {
    this.options = options;
  }

  /** False: the bound is reached, nothing was added. */
  push(item: T): boolean {
    const { maxItems, maxBytes, sizeOf } = this.options;
    const size = sizeOf(item);
    if (this.queue.count >= maxItems || this.queue.size + size > maxBytes) return false;
    this.queue.push(item, size);
    return true;
  }

  /** Ends the reading side; what still waits is dropped. Returns whether the reader will notice at once. */
  end(): boolean {
    return this.queue.end();
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void> {
    return this.queue[Symbol.asyncIterator]();
  }
}
