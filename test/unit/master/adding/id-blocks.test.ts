import { afterEach, beforeEach, expect, test } from "vitest";
import { IdBlocks } from "../../../../src/master/adding/id-blocks.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";

let opened: Awaited<ReturnType<typeof openTestStore>>;
let reserved: number[];
let failing: number;
beforeEach(async () => {
  opened = await openTestStore();
  reserved = [];
  failing = 0;
  const { reserveIds } = opened.store;
  opened.store.reserveIds = async (epoch, count) => {
    if (failing-- > 0) throw new Error("no answer");
    reserved.push(count);
    return reserveIds.call(opened.store, epoch, count);
  };
});
afterEach(() => opened.close());

const start = () => new IdBlocks(masterContext({ store: opened.store }));

test("many that take ids at once share one block, and no id", async () => {
  const ids = start();
  const firsts = await Promise.all(Array.from({ length: 100 }, () => ids.take(3)));
  const all = firsts.flatMap((first) => [first, first + 1, first + 2]);
  expect(new Set(all).size).toBe(300);
  expect(reserved).toEqual([10_000]);
});

test("ids in a row never span two blocks, and more than a block's are a block of their own", async () => {
  const ids = start();
  const first = await ids.take(9_999);
  const second = await ids.take(2);
  expect(second).toBeGreaterThanOrEqual(first + 10_000);
  const large = await ids.take(25_000);
  expect(reserved).toEqual([10_000, 10_000, 25_000]);
  expect(await ids.take(1)).toBeGreaterThanOrEqual(large + 25_000);
});

test("two masters get no id twice", async () => {
  const [one, other] = [start(), start()];
  const [first, second] = [await one.take(10), await other.take(10)];
  expect(Math.abs(first - second)).toBeGreaterThanOrEqual(10_000);
});

test("a block that could not be reserved fails whoever waits for it, and is tried again by the next", async () => {
  failing = 1;
  const ids = start();
  await expect(ids.take(1)).rejects.toThrow("no answer");
  expect(await ids.take(1)).toBeGreaterThan(0);
});
