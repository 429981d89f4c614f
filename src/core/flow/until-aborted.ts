/** Items as they come, until the signal aborts: also while none comes. Whoever reads on then finds the end. */
export async function* untilAborted<Item>(
  items: AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item, void> {
  const iterator = items[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<IteratorReturnResult<undefined>>();
  const end = () => aborted.resolve({ done: true, value: undefined });
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), aborted.promise]);
      if (done === true) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", end);
  }
}
