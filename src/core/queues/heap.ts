/** An item knows its place, so that it can be taken out of the middle. -1: in no heap. */
export interface HeapItem {
  heapIndex: number;
}

const CHILDREN = 4;

/**
 * The item with the lowest key comes first; of equal keys, that with the lowest tie-break. Keys lie beside
 * the items and each place has four children: finding the next of 100,000 reads few objects, whose memory
 * is far apart.
 */
export class Heap<T extends HeapItem> {
  private readonly items: T[] = [];
  private readonly keys: number[] = [];
  private readonly ties: number[] = [];

  get size(): number {
    return this.items.length;
  }

  first(): T | undefined {
    return this.items[0];
  }

  values(): IterableIterator<T> {
    return this.items.values();
  }

  push(item: T, key: number, tie: number): void {
    this.up(this.items.length, item, key, tie);
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
    const key = this.keys.pop() ?? 0;
    const tie = this.ties.pop() ?? 0;
    if (last === undefined || last === item) return;
    if (index > 0 && this.isBefore(key, tie, parentOf(index))) this.up(index, last, key, tie);
    else this.down(index, last, key, tie);
  }

  /** Whether this one goes before what is at the place. */
  private isBefore(key: number, tie: number, index: number): boolean {
    const other = this.keys[index] ?? Number.POSITIVE_INFINITY;
    return key < other || (key === other && tie < (this.ties[index] ?? Number.POSITIVE_INFINITY));
  }

  private up(start: number, item: T, key: number, tie: number): void {
    let index = start;
    while (index > 0 && this.isBefore(key, tie, parentOf(index))) {
      this.move(parentOf(index), index);
      index = parentOf(index);
    }
    this.set(index, item, key, tie);
  }

  private down(start: number, item: T, key: number, tie: number): void {
    let index = start;
    for (;;) {
      const first = CHILDREN * index + 1;
      if (first >= this.items.length) break;
      const end = Math.min(first + CHILDREN, this.items.length);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (this.isBefore(this.keys[child] ?? 0, this.ties[child] ?? 0, least)) least = child;
      }
      if (this.isBefore(key, tie, least)) break;
      this.move(least, index);
      index = least;
    }
    this.set(index, item, key, tie);
  }

  private move(from: number, to: number): void {
    const item = this.items[from];
    if (item !== undefined) this.set(to, item, this.keys[from] ?? 0, this.ties[from] ?? 0);
  }

  private set(index: number, item: T, key: number, tie: number): void {
    this.items[index] = item;
    this.keys[index] = key;
    this.ties[index] = tie;
    item.heapIndex = index;
  }
}

function parentOf(index: number): number {
  return Math.floor((index - 1) / CHILDREN);
}
