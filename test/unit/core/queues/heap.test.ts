import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap, type HeapItem } from "../../../../src/core/queues/heap.ts";

interface Item extends HeapItem {
  readonly key: number;
  readonly tie: number;
}

const order = (a: Item, b: Item) => a.key - b.key || a.tie - b.tie;

test("gives items by key and tie-break, whatever was pushed and taken out before", () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ remove: fc.nat() }),
    fc.constant("pop" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<Item>();
      const there: Item[] = [];
      for (const [tie, does] of steps.entries()) {
        if (does === "pop") {
          const [least] = there.toSorted(order);
          expect(heap.pop()).toBe(least);
          if (least !== undefined) there.splice(there.indexOf(least), 1);
        } else if ("push" in does) {
          const item: Item = { key: does.push, tie, heapIndex: -1 };
          heap.push(item, item.key, item.tie);
          there.push(item);
        } else if (there.length > 0) {
          const [item] = there.splice(does.remove % there.length, 1);
          if (item === undefined) throw new Error("nothing to remove");
          heap.remove(item);
          expect(item.heapIndex).toBe(-1);
        }
        expect(heap.size).toBe(there.length);
        expect(heap.first()).toBe(there.toSorted(order)[0]);
      }
    }),
  );
});

test("an item that is not in it cannot be taken out", () => {
  const heap = new Heap<Item>();
  const item: Item = { key: 1, tie: 1, heapIndex: -1 };
  expect(() => heap.remove(item)).toThrow("not in this heap");
  heap.push(item, 1, 1);
  heap.remove(item);
  expect(() => heap.remove(item)).toThrow("not in this heap");
});
