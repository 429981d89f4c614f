import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeNumbers } from "../../../../src/master/nodes/node-numbers.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";

let opened: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

const start = () => new NodeNumbers(masterContext({ store: opened.store }));

test("two hellos of one process at once get one number", async () => {
  const numbers = start();
  const [one, other] = await Promise.all([numbers.of("a", "n1"), numbers.of("a", "n1")]);
  expect(one).toBe(other);
  expect(await numbers.of("b", "n1")).not.toBe(one);
  expect(await opened.store.readNodes()).toHaveLength(2);
  expect([numbers.incarnationOf(one), numbers.nodeIdOf(one)]).toEqual(["a", "n1"]);
});

test("a number is nobody's until it was given", async () => {
  const numbers = start();
  expect([numbers.incarnationOf(1), numbers.nodeIdOf(1)]).toEqual([undefined, ""]);
});

test("a number whose write may have been carried out is the same when it is tried again", async () => {
  const { addNode } = opened.store;
  let failing = 1;
  opened.store.addNode = async (...asked) => {
    await addNode.apply(opened.store, asked);
    if (failing-- > 0) throw new Error("no answer");
  };
  const numbers = start();
  await expect(numbers.of("a", "n1")).rejects.toThrow("no answer");
  const number = await numbers.of("a", "n1");
  expect(await opened.store.readNodes()).toEqual([{ number, incarnation: "a", nodeId: "n1" }]);
});

test("the next master knows them, and goes on with numbers that are free", async () => {
  const before = await start().of("a", "n1");
  const numbers = start();
  await numbers.load();
  expect(await numbers.of("a", "n1")).toBe(before);
  expect(await numbers.of("b", "n2")).toBeGreaterThan(before);
});
