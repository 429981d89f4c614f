/** The first `limit` items, and whether there are more. */
export async function takeFirst<T>(
  items: AsyncIterable<T>,
  limit: number,
): Promise<{ items: T[]; more: boolean }> {
  const taken: T[] = [];
  for await (const item of items) {
    if (taken.length === limit) return { items: taken, more: true };
    taken.push(item);
  }
  return { items: taken, more: false };
}
