import { expect, test } from "vitest";
import { Prefetch } from "../../../src/node/prefetch.ts";

function after(slots: number, durationsMs: readonly number[]): number {
  const prefetch = new Prefetch(slots);
  for (const ms of durationsMs) prefetch.took(ms);
  return prefetch.queuedSlots;
}

const many = (ms: number) => Array.from({ length: 500 }, () => ms);

test("nothing is asked for beyond the slots until jobs have shown to be quick", () => {
  expect(new Prefetch(8).queuedSlots).toBe(0);
  expect(after(8, many(400))).toBe(0);
});

test("the quicker the jobs, the more wait at the node: about 50 ms of work", () => {
  expect(after(8, many(10))).toBe(40);
  expect(after(8, many(1))).toBeGreaterThanOrEqual(400);
  expect(after(8, many(0))).toBe(2000);
});

test("a node of one slot asks for one more, so that it is not idle between two jobs", () => {
  expect(after(1, many(100))).toBe(1);
});

test("one slow job counts more than one quick job", () => {
  const before = after(8, many(10));
  expect(after(8, [...many(10), 500])).toBeLessThan(before / 5);
});
