/**
 * Carries a batch out, and halves it when it is refused, until the item that is at fault is alone: so this one holds up
 * no other. The results of the parts come in the order of their items.
 */
export async function halveRefused<Item, Result>(
  batch: readonly Item[],
  steps: {
    readonly attempt: (part: readonly Item[]) => Promise<Result>;
    /** Whether a part of what failed so may do better. */
    readonly splits: (error: unknown) => boolean;
    /** What becomes of a part that is not halved. */
    readonly failed: (part: readonly Item[], error: unknown) => Result | Promise<Result>;
  },
): Promise<Result[]> {
  try {
    return [await steps.attempt(batch)];
  } catch (error) {
    if (batch.length <= 1 || !steps.splits(error)) return [await steps.failed(batch, error)];
  }
  const middle = batch.length >> 1;
  const before = await halveRefused(batch.slice(0, middle), steps);
  return [...before, ...(await halveRefused(batch.slice(middle), steps))];
}
