import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, choose } from "../../../../src/core/queues/placement.ts";

const node = (nodeId: string, changes: Partial<Candidate> = {}): Candidate => ({
  nodeId,
  slots: 16,
  freeSlots: 16,
  queueSlots: 0,
  cpu: 0,
  eventLoopDelayMs: 0,
  memoryMb: 1000,
  freeMemoryMb: 800,
  ...changes,
});
const one = { slots: 1, memoryMb: 0 };
const chosenOf = (nodes: readonly Candidate[], required = one) =>
  choose(nodes, required)?.node.nodeId ?? null;

describe("a job goes to", () => {
  test("the node with the largest free share, not the most free slots", () => {
    expect(chosenOf([node("a", { freeSlots: 8 }), node("b", { slots: 4, freeSlots: 4 })])).toBe("b");
  });

  test("a node that would begin it, not one where many may wait and all slots are taken", () => {
    const quick = (changes: Partial<Candidate>) =>
      node("quick", { freeSlots: 2016, queueSlots: 2000, ...changes });
    expect(chosenOf([quick({ freeSlots: 1990 }), node("idle", { freeSlots: 1 })])).toBe("idle");
    expect(chosenOf([quick({}), node("half", { freeSlots: 8 })])).toBe("quick");
    // All are full: the one where fewer wait.
    expect(chosenOf([quick({ freeSlots: 1990 }), node("b", { freeSlots: 30, queueSlots: 32 })])).toBe("b");
  });

  test("a node that is less busy, from 70 % of its CPU on", () => {
    expect(chosenOf([node("a", { cpu: 0.9 }), node("b", { freeSlots: 12 })])).toBe("b");
    expect(chosenOf([node("a", { cpu: 0.6 }), node("b", { freeSlots: 12 })])).toBe("a");
  });

  test("a node whose event loop is in time", () => {
    expect(chosenOf([node("a", { eventLoopDelayMs: 100 }), node("b", { freeSlots: 12 })])).toBe("b");
  });

  test("no node without the slots or the memory for it", () => {
    expect(chosenOf([node("a", { freeSlots: 2 })], { slots: 3, memoryMb: 0 })).toBe(null);
    expect(chosenOf([node("a")], { slots: 1, memoryMb: 900 })).toBe(null);
    expect(chosenOf([])).toBe(null);
  });
});

test("says why", () => {
  expect(choose([node("a", { freeSlots: 12, cpu: 0.25 })], one)?.placement).toBe(
    "only load=0.31 free=12/16 cpu=0.25 of=1",
  );
  expect(choose([node("a"), node("b")], one)?.placement).toMatch(
    /^least-loaded load=0\.06 free=16\/16 .* of=2$/,
  );
  expect(choose([node("a", { freeSlots: 2000, queueSlots: 2000 })], one)?.placement).toBe(
    "only load=1.06 free=0/16 cpu=0.00 of=1",
  );
});

test("so many of a kind follow a job there that they fit, and take a sixteenth of its free slots at most", () => {
  expect(choose([node("a")], one)?.share).toBe(1);
  const large = node("a", { slots: 640, freeSlots: 640 });
  expect(choose([large], one)?.share).toBe(40);
  expect(choose([large], { slots: 4, memoryMb: 0 })?.share).toBe(10);
  // It lets jobs wait, too: at most half of its slots then.
  expect(choose([node("a", { freeSlots: 2016 })], one)?.share).toBe(8);
  expect(choose([node("a", { freeSlots: 2016 })], { slots: 4, memoryMb: 0 })?.share).toBe(2);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 50 }), (freeSlots, slots) => {
      const share = choose([node("a", { slots: 5000, freeSlots })], { slots, memoryMb: 0 })?.share ?? 0;
      expect(share * slots).toBeLessThanOrEqual(freeSlots);
      expect(share > 1 ? (share * slots) / freeSlots : 0).toBeLessThanOrEqual(1 / 16);
    }),
  );
});
