import { describe, expect, test } from "vitest";
import { limitsFor } from "../../../src/rpc/limits.ts";
import { CALL_BYTES, CallBudget, SMALL_BODY_BYTES } from "../../../src/rpc/server/call-budget.ts";

const MIB = 1024 * 1024;

describe("limits by memory", () => {
  test("the largest call and the budget follow the memory, within bounds", () => {
    expect(limitsFor(100 * MIB)).toMatchObject({ maxCallBytes: 8 * MIB, budgetBytes: 64 * MIB });
    expect(limitsFor(512 * MIB)).toMatchObject({ maxCallBytes: 16 * MIB, budgetBytes: 128 * MIB });
    expect(limitsFor(1e15)).toMatchObject({ maxCallBytes: 64 * MIB, budgetBytes: 1024 * MIB });
  });

  test("a process of 512 MiB has hundreds of watches and half-open requests, not thousands", () => {
    expect(limitsFor(512 * MIB)).toMatchObject({ maxStreams: 512, maxHalfOpen: 512 });
  });
});

describe("the budget of all calls", () => {
  test("what ended makes room, once", () => {
    const budget = new CallBudget(CALL_BYTES * 2);
    const first = budget.enter();
    expect(budget.enter()).not.toBeNull();
    expect(budget.enter()).toBeNull();
    first?.end();
    first?.end();
    expect(budget.enter()).not.toBeNull();
    expect(budget.enter()).toBeNull();
  });

  test("a body that does not fit takes nothing more, and one that ended takes nothing", () => {
    const budget = new CallBudget(CALL_BYTES * 2);
    const call = budget.enter();
    expect(call?.takeBody(CALL_BYTES)).toBe(false);
    const other = budget.enter();
    expect(other).not.toBeNull();
    other?.end();
    expect(other?.takeBody(100)).toBe(true);
    expect(budget.enter()).not.toBeNull();
  });

  test("a large body counts less a byte than a small one, which becomes objects", () => {
    const budget = new CallBudget(CALL_BYTES + SMALL_BODY_BYTES * 32);
    expect(budget.enter()?.takeBody(SMALL_BODY_BYTES)).toBe(true);
    const other = new CallBudget(CALL_BYTES + SMALL_BODY_BYTES * 32);
    expect(other.enter()?.takeBody(SMALL_BODY_BYTES * 8)).toBe(true);
    expect(other.enter()).toBeNull();
  });
});
