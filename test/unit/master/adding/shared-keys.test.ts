import { expect, test } from "vitest";
import { SharedKeys } from "../../../../src/master/adding/shared-keys.ts";

const shared = (firstId: number) => ({ firstId, expiresAt: 1_000, untried: 1 });
const done = Promise.resolve();
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a key is known with what is under way of it, until that has ended, well or badly", async () => {
  const keys = new SharedKeys();
  const [good, bad] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  keys.remember("a", shared(1), good.promise);
  keys.remember("b", shared(2), bad.promise);
  expect([keys.get("a")?.underWay.size, keys.get("b")?.underWay.size]).toEqual([1, 1]);
  good.resolve();
  bad.reject(new Error("no answer"));
  await turn();
  expect([keys.get("a")?.underWay.size, keys.get("b")?.underWay.size]).toEqual([0, 0]);
  expect(keys.get("b")?.firstId).toBe(2);
});

test("of more than a thousand keys the oldest is forgotten, but not while something of it is under way", async () => {
  const keys = new SharedKeys();
  const slow = Promise.withResolvers<void>();
  keys.remember("slow", shared(0), slow.promise);
  for (let id = 1; id <= 1_000; id++) {
    keys.remember(`key ${id}`, shared(id), done);
    await turn();
  }
  expect(keys.get("slow")?.firstId).toBe(0);
  expect([keys.get("key 1"), keys.get("key 2")?.firstId]).toEqual([undefined, 2]);
  slow.resolve();
});

test("a key that is remembered anew is the youngest", async () => {
  const keys = new SharedKeys();
  for (let id = 1; id <= 1_000; id++) keys.remember(`key ${id}`, shared(id), done);
  await turn();
  keys.remember("key 1", shared(7), done);
  keys.remember("another", shared(8), done);
  expect([keys.get("key 1")?.firstId, keys.get("key 2")]).toEqual([7, undefined]);
});

test("a block of which nothing was stored is given to the next call of its key, once", () => {
  const keys = new SharedKeys();
  keys.keepBlock("a", 5);
  expect([keys.takeBlock("b"), keys.takeBlock("a"), keys.takeBlock("a")]).toEqual([undefined, 5, undefined]);
});
