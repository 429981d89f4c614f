/** gRPC clients refuse messages over 4 MiB; this leaves room for the rest of the answer. */
const MAX_PAGE_BYTES = 3 * 1024 * 1024;

/**
 * Fills a page up to its number of items and 3 MiB: where a whole item would exceed that, its light
 * form is taken; where that would, too, the page ends before it. One item is always taken. The store is
 * read once, so that its bounds on rows and bytes are those of the call: a page can be short.
 */
export async function buildPage<Row, Key, Item>(options: {
  readonly limit: number;
  readonly from: Key | null;
  readonly read: (
    before: Key | null,
    limit: number,
  ) => Promise<{ readonly items: readonly Row[]; readonly next: Key | null }>;
  readonly keyOf: (row: Row) => Key;
  /** Messages for rows; `light`: without what may be large. */
  readonly convert: (rows: readonly Row[]) => Promise<(row: Row, light: boolean) => Item>;
  readonly sizeOf: (item: Item) => number;
}): Promise<{ items: Item[]; next: Key | null }> {
  const page = await options.read(options.from, options.limit);
  const toItem = await options.convert(page.items);
  const items: Item[] = [];
  let bytes = 0;
  let last = options.from;
  for (const row of page.items) {
    let item = toItem(row, false);
    let size = options.sizeOf(item);
    if (bytes + size > MAX_PAGE_BYTES) {
      item = toItem(row, true);
      size = options.sizeOf(item);
      if (bytes + size > MAX_PAGE_BYTES && items.length > 0) return { items, next: last };
    }
    items.push(item);
    bytes += size;
    last = options.keyOf(row);
  }
  return { items, next: page.next };
}
