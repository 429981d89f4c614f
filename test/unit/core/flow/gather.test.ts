import { expect, test } from "vitest";
import { Gather, type GatherOptions } from "../../../../src/core/flow/gather.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Batches of up to three, two at once; what ends each stands beside it. */
function rig(changes: Partial<GatherOptions<number>> = {}) {
  const batches: { readonly items: readonly number[]; readonly end: () => Promise<void> }[] = [];
  const gather = new Gather<number>({
    mostBatches: 2,
    take: ({ length }) => Math.min(length, 3),
    run(items) {
      const { promise, resolve } = Promise.withResolvers<void>();
      batches.push({
        items,
        end() {
          resolve();
          return turn();
        },
      });
      return promise;
    },
    soon: queueMicrotask,
    ...changes,
  });
  const addAll = (...items: number[]) => {
    for (const item of items) gather.add(item);
  };
  return { gather, addAll, batches, items: () => batches.map((batch) => batch.items) };
}

test("what is added in one turn goes together, and a lone item waits for nothing", async () => {
  const { addAll, items } = rig();
  addAll(1);
  await turn();
  expect(items()).toEqual([[1]]);
  addAll(2, 3);
  expect(items()).toEqual([[1]]);
  await turn();
  expect(items()).toEqual([[1], [2, 3]]);
});

test("what is added while all batches are under way goes into the next ones, in order", async () => {
  const { gather, addAll, batches, items } = rig();
  addAll(1, 2, 3, 4, 5, 6, 7);
  await turn();
  expect(items()).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  addAll(8);
  await turn();
  expect(gather.waiting).toBe(2);
  expect(gather.underWay).toBe(2);
  await batches[1]?.end();
  expect(items().slice(2)).toEqual([[7, 8]]);
  expect(gather.waiting).toBe(0);
});

test("items wait on as long as none is taken: until a batch ends, one is added, or it is flushed", async () => {
  let most = 0;
  const taken: [number, number][] = [];
  const { gather, addAll, batches, items } = rig({
    take({ length }, underWay) {
      taken.push([length, underWay]);
      return underWay === 0 ? 1 : Math.min(length, most);
    },
  });
  addAll(1, 2, 3);
  await turn();
  expect(items()).toEqual([[1]]);
  expect(taken).toEqual([
    [3, 0],
    [2, 1],
  ]);
  most = 1;
  gather.flush();
  expect(items()).toEqual([[1], [2]]);
  await batches[0]?.end();
  expect(items()).toEqual([[1], [2], [3]]);
});

test("`soon` decides when what was added begins to leave, and is asked once", async () => {
  const asked: (() => void)[] = [];
  const { addAll, items } = rig({ soon: (flush) => asked.push(flush) });
  addAll(1, 2);
  await turn();
  expect(asked).toHaveLength(1);
  expect(items()).toEqual([]);
  asked[0]?.();
  expect(items()).toEqual([[1, 2]]);
  addAll(3);
  expect(asked).toHaveLength(2);
});

test("it is idle once nothing waits and no batch is under way", async () => {
  let idle = 0;
  const { gather, addAll, batches } = rig({ idle: () => idle++ });
  addAll(1, 2, 3, 4, 5, 6, 7);
  await turn();
  await batches[0]?.end();
  await batches[1]?.end();
  expect(idle).toBe(0);
  await batches[2]?.end();
  expect(idle).toBe(1);
  gather.flush();
  expect(idle).toBe(2);
});
