/**
 * What waits to be written on a stream: pushed without waiting, read by the adapter as fast as the
 * other side takes it. Bounded: whoever fills it is told, and has to cut the stream.
 */
export interface OutgoingQueue<T> extends AsyncIterable<T> {
  /** False: the bound is reached, nothing was added. */
  push(item: T): boolean;
  /** Ends the reading side; what still waits is dropped. Returns whether the reader will notice at once. */
  end(): boolean;
}

export function createOutgoingQueue<T>(options: {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly sizeOf: (item: T) => number;
}): OutgoingQueue<T> {
  let items: { readonly item: T; readonly size: number }[] = [];
  let count = 0;
  let bytes = 0;
  let ended = false;
  let wake: (() => void) | null = null;

  return {
    push(item) {
      if (ended) return true;
      const size = options.sizeOf(item);
      if (count >= options.maxItems || bytes + size > options.maxBytes) return false;
      items.push({ item, size });
      count += 1;
      bytes += size;
      wake?.();
      return true;
    },
    end() {
      const waiting = wake !== null;
      ended = true;
      items = [];
      wake?.();
      return waiting;
    },
    async *[Symbol.asyncIterator]() {
      while (!ended) {
        // All that waits at once: shifting one by one would cost time with the square of the length.
        const batch = items;
        items = [];
        for (const { item, size } of batch) {
          if (ended) return;
          count -= 1;
          bytes -= size;
          yield item;
        }
        if (items.length > 0 || ended) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = null;
      }
    },
  };
}
