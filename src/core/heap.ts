/** An item knows its place, so that it can be taken out of the middle. -1: in no heap. */
export interface HeapItem {
  heapIndex: number;
}

/** A binary heap: the item for which `before` holds against all others comes first. */
export class Heap<T extends HeapItem> {
  private readonly items: T[] = [];
  private readonly before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.items.length;
  }

  first(): T | undefined {
    return this.items[0];
  }

  values(): IterableIterator<T> {
    return this.items.values();
  }

  push(item: T): void {
    this.items.push(item);
    this.up(item, this.items.length - 1);
  }

  pop(): T | undefined {
    const first = this.items[0];
    if (first) this.remove(first);
    return first;
  }

  remove(item: T): void {
    const index = item.heapIndex;
    if (this.items[index] !== item) throw new Error("not in this heap");
    item.heapIndex = -1;
    const last = this.items.pop();
    if (last === undefined || last === item) return;
    this.up(last, index);
    this.down(last, last.heapIndex);
  }

  private up(item: T, start: number): void {
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.items[parentIndex];
      if (parent === undefined || !this.before(item, parent)) break;
      this.set(index, parent);
      index = parentIndex;
    }
    this.set(index, item);
  }

  private down(item: T, start: number): void {
    let index = start;
    for (;;) {
      const left = this.items[2 * index + 1];
      if (left === undefined) break;
      const right = this.items[2 * index + 2];
      const child = right !== undefined && this.before(right, left) ? right : left;
      if (!this.before(child, item)) break;
      const childIndex = child.heapIndex;
      this.set(index, child);
      index = childIndex;
    }
    this.set(index, item);
  }

  private set(index: number, item: T): void {
    this.items[index] = item;
    item.heapIndex = index;
  }
}
