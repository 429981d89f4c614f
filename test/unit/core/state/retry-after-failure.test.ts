import { describe, expect, test } from "vitest";
import {
  type EndingPlan,
  MAX_RETRY_AFTER_MS,
  retryAfterFailure,
  retryAfterLoss,
} from "../../../../src/core/state/ending.ts";

const END = 1_000_000;
const PLAN = { next: null, retryDelayMs: 500, lastRetryAt: null, failures: 2 };

describe("the delay that a handler chose", () => {
  test("goes before the policy's, shorter or longer", () => {
    expect(retryAfterFailure(PLAN, END, false).at).toBe(END + 500);
    expect(retryAfterFailure(PLAN, END, false, 20).at).toBe(END + 20);
    expect(retryAfterFailure(PLAN, END, false, 90_000).at).toBe(END + 90_000);
    expect(retryAfterFailure(PLAN, END, false, 0).at).toBe(END);
  });

  test("is a year at most", () => {
    expect(retryAfterFailure(PLAN, END, false, 400 * 86_400_000).at).toBe(END + 31_536_000_000);
    expect(retryAfterFailure(PLAN, END, false, 31_535_999_999).at).toBe(END + 31_535_999_999);
  });

  test("gives no more attempts than the policy does", () => {
    expect(retryAfterFailure({ ...PLAN, retryDelayMs: null }, END, false, 20).at).toBeNull();
    expect(retryAfterFailure(PLAN, END, true, 20).at).toBeNull();
  });

  test("does not reach past the next occurrence, nor past the last retry worth starting", () => {
    const next = { scheduledAt: END + 1000, at: END + 1000 };
    expect(retryAfterFailure({ ...PLAN, next }, END, false, 999).at).toBe(END + 999);
    expect(retryAfterFailure({ ...PLAN, next }, END, false, 1000).at).toBeNull();
    expect(retryAfterFailure({ ...PLAN, lastRetryAt: END + 700 }, END, false, 701).at).toBeNull();
  });

  test("is a whole number of milliseconds, from 0 to a year", () => {
    expect(retryAfterFailure(PLAN, END, false, 0.2).at).toBe(END + 1);
    expect(retryAfterFailure(PLAN, END, false, -5).at).toBe(END);
    expect(MAX_RETRY_AFTER_MS).toBe(365 * 24 * 3_600_000);
    for (const chosen of [1e300, Number.POSITIVE_INFINITY]) {
      expect(retryAfterFailure(PLAN, END, false, chosen).at).toBe(END + MAX_RETRY_AFTER_MS);
    }
  });
});

test("an occurrence that is not tried again says why", () => {
  const next = { scheduledAt: END + 1000, at: END + 1000 };
  const why = (plan: Partial<EndingPlan>, isPermanent = false) =>
    retryAfterFailure({ ...PLAN, ...plan }, END, isPermanent).whyOver;
  expect(why({})).toBe("");
  expect(why({ retryDelayMs: null }, true)).toBe("its error is permanent");
  expect(why({ retryDelayMs: null })).toBe("3 of 3 attempts");
  expect(why({ retryDelayMs: 1000, next, lastRetryAt: END })).toBe(
    "its next occurrence takes over before the next try",
  );
  expect(why({ next, lastRetryAt: END })).toBe("its deadline is before the next try");
  expect(retryAfterLoss(9, END, 10)).toEqual({ at: null, whyOver: "lost 10 times in a row" });
  expect(retryAfterLoss(8, END, 10).whyOver).toBe("");
});
