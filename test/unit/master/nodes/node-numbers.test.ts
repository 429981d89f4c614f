import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeNumbers } from "../../../../src/master/nodes/node-numbers.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";

let opened: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

const start = () => new NodeNumbers(masterContext({ store: opened.store }));

test("a process has the number under which it has entered itself in the database", async () => {
  const number = await opened.store.registerNode("a", "n1");
  const numbers = start();
  expect([numbers.incarnationOf(number), numbers.nodeIdOf(number)]).toEqual([undefined, ""]);
  expect(await Promise.all([numbers.of("a", "n1"), numbers.of("a", "n1")])).toEqual([number, number]);
  expect([numbers.incarnationOf(number), numbers.nodeIdOf(number)]).toEqual(["a", "n1"]);
});

test("a process that has not entered itself in this database is refused", async () => {
  const numbers = start();
  expect(await numbers.find("b")).toBeNull();
  await expect(numbers.of("b", "n1")).rejects.toMatchObject({ code: "failed_precondition" });
  const number = await opened.store.registerNode("b", "n1");
  expect(await numbers.of("b", "n1")).toBe(number);
});

test("the next master knows those that have entered themselves before", async () => {
  const number = await opened.store.registerNode("a", "n1");
  const numbers = start();
  numbers.load(await opened.store.readNodes());
  expect([numbers.incarnationOf(number), numbers.nodeIdOf(number)]).toEqual(["a", "n1"]);
});
