/** gRPC clients refuse messages over 4 MiB; this leaves room for the rest of the answer. */
const MAX_PAGE_BYTES = 3 * 1024 * 1024;
/** Rows read at a time: each may carry a payload of a MiB, so a whole page is never in memory at once. */
const ROWS_A_READ = 100;

/**
 * Fills a page up to its number of items and 3 MiB: where a whole item would exceed that, its light
 * form is taken; where that would, too, the page ends before it. One item is always taken.
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
  const items: Item[] = [];
  let bytes = 0;
  let before = options.from;
  for (;;) {
    const page = await options.read(before, Math.min(options.limit - items.length, ROWS_A_READ));
    const toItem = await options.convert(page.items);
    for (const row of page.items) {
      let item = toItem(row, false);
      let size = options.sizeOf(item);
      if (bytes + size > MAX_PAGE_BYTES) {
        item = toItem(row, true);
        size = options.sizeOf(item);
        if (bytes + size > MAX_PAGE_BYTES && items.length > 0) return { items, next: before };
      }
      items.push(item);
      bytes += size;
      before = options.keyOf(row);
    }
    // A read that came back short has scanned its bounded share: the caller goes on with the token.
    const full = page.items.length > 0 && items.length < options.limit && page.items.length === ROWS_A_READ;
    if (page.next === null || !full) return { items, next: page.next };
    before = page.next;
  }
}
