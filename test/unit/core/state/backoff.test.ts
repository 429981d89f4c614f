import fc from "fast-check";
import { expect, test } from "vitest";
import type { RetryPolicy } from "../../../../src/core/job.ts";
import { retryDelayMs } from "../../../../src/core/state/backoff.ts";

const fixed = (value: number) => ({ next: () => value, id: () => "" });

const policies = fc
  .record({
    maxAttempts: fc.constant(0),
    initialBackoffMs: fc.integer({ min: 1, max: 100_000 }),
    maxBackoffMs: fc.integer({ min: 1, max: 10_000_000 }),
    multiplier: fc.double({ min: 1, max: 100, noNaN: true }),
  })
  .map(
    (policy): RetryPolicy => ({
      ...policy,
      maxBackoffMs: Math.max(policy.maxBackoffMs, policy.initialBackoffMs),
    }),
  );
const failures = fc.integer({ min: 1, max: 100_000 });
const chances = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

test("a wait is a whole number of milliseconds, from half the exponential wait up to all of it", () => {
  const property = fc.property(policies, failures, chances, (policy, failed, chance) => {
    const delayMs = retryDelayMs(policy, failed, fixed(chance));
    const ceilingMs = Math.min(
      policy.maxBackoffMs,
      policy.initialBackoffMs * policy.multiplier ** (failed - 1),
    );
    expect(Number.isInteger(delayMs)).toBe(true);
    expect(delayMs).toBeGreaterThanOrEqual(Math.max(1, Math.floor(ceilingMs / 2)));
    expect(delayMs).toBeLessThanOrEqual(Math.max(1, Math.ceil(ceilingMs)));
    expect(delayMs).toBeLessThanOrEqual(policy.maxBackoffMs);
  });
  fc.assert(property);
});

test("with equal luck, no wait is shorter than the one before it", () => {
  const property = fc.property(policies, failures, chances, (policy, failed, chance) => {
    const random = fixed(chance);
    expect(retryDelayMs(policy, failed + 1, random)).toBeGreaterThanOrEqual(
      retryDelayMs(policy, failed, random),
    );
  });
  fc.assert(property);
});

test("the default policy waits 1, 2, 4 … up to 100 seconds at most", () => {
  const policy: RetryPolicy = {
    maxAttempts: 0,
    initialBackoffMs: 1000,
    maxBackoffMs: 100_000,
    multiplier: 2,
  };
  const longest = [1, 2, 3, 7, 8, 9, 5000].map((failed) => retryDelayMs(policy, failed, fixed(1)));
  expect(longest).toEqual([1000, 2000, 4000, 64_000, 100_000, 100_000, 100_000]);
});
