import { describe, expect, test } from "vitest";
import { MAX_RETRY_AFTER_MS, retryAfterFailure } from "../../../../src/core/state/ending.ts";

const END = 1_000_000;
const PLAN = { next: null, retryDelayMs: 500, lastRetryAt: null };

describe("the delay that a handler chose", () => {
  test("goes before the policy's, shorter or longer", () => {
    expect(retryAfterFailure(PLAN, END, false)).toBe(END + 500);
    expect(retryAfterFailure(PLAN, END, false, 20)).toBe(END + 20);
    expect(retryAfterFailure(PLAN, END, false, 90_000)).toBe(END + 90_000);
    expect(retryAfterFailure(PLAN, END, false, 0)).toBe(END);
  });

  test("is a year at most", () => {
    expect(retryAfterFailure(PLAN, END, false, 400 * 86_400_000)).toBe(END + 31_536_000_000);
    expect(retryAfterFailure(PLAN, END, false, 31_535_999_999)).toBe(END + 31_535_999_999);
  });

  test("gives no more attempts than the policy does", () => {
    expect(retryAfterFailure({ ...PLAN, retryDelayMs: null }, END, false, 20)).toBeNull();
    expect(retryAfterFailure(PLAN, END, true, 20)).toBeNull();
  });

  test("does not reach past the next occurrence, nor past the last retry worth starting", () => {
    const next = { scheduledAt: END + 1000, at: END + 1000 };
    expect(retryAfterFailure({ ...PLAN, next }, END, false, 999)).toBe(END + 999);
    expect(retryAfterFailure({ ...PLAN, next }, END, false, 1000)).toBeNull();
    expect(retryAfterFailure({ ...PLAN, lastRetryAt: END + 700 }, END, false, 701)).toBeNull();
  });

  test("is a whole number of milliseconds, from 0 to a year", () => {
    expect(retryAfterFailure(PLAN, END, false, 0.2)).toBe(END + 1);
    expect(retryAfterFailure(PLAN, END, false, -5)).toBe(END);
    expect(MAX_RETRY_AFTER_MS).toBe(365 * 24 * 3_600_000);
    for (const chosen of [1e300, Number.POSITIVE_INFINITY]) {
      expect(retryAfterFailure(PLAN, END, false, chosen)).toBe(END + MAX_RETRY_AFTER_MS);
    }
  });
});
