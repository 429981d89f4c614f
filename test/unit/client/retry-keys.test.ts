import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RetryKeys } from "../../../src/client/retry-keys.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function taker(): (count: number) => { key: string; jobs: number | undefined; first: number | undefined } {
  const keys = new RetryKeys();
  return (count) => {
    const { key, part } = keys.take(count);
    return { key, jobs: part?.jobs, first: part?.first };
  };
}

test("calls that follow each other share a key, each with a part of its own", () => {
  const take = taker();
  const first = take(3);
  expect(first).toEqual({ key: expect.stringMatching(/^[0-9a-f-]{36}$/), jobs: 1_000, first: 0 });
  expect(take(1)).toEqual({ ...first, first: 3 });
  expect(take(996)).toEqual({ ...first, first: 4 });
});

test("a key that is used up before its time is followed by one for more jobs", () => {
  const take = taker();
  const small = take(600);
  const large = take(600);
  expect(large).toMatchObject({ jobs: 10_000, first: 0 });
  expect(large.key).not.toBe(small.key);
  expect(take(9_400)).toEqual({ ...large, first: 600 });
  expect(take(1)).toMatchObject({ jobs: 10_000, first: 0 });
});

test("a key is shared for a second only", () => {
  const take = taker();
  const first = take(1);
  vi.advanceTimersByTime(999);
  expect(take(1)).toEqual({ ...first, first: 1 });
  vi.advanceTimersByTime(1);
  const next = take(1);
  expect(next).toMatchObject({ jobs: 1_000, first: 0 });
  expect(next.key).not.toBe(first.key);
});

test("a call fits into its key, or is too large for the cluster and has one alone", () => {
  const take = taker();
  expect(take(1_001)).toMatchObject({ jobs: 10_000, first: 0 });
  expect(take(10_000)).toMatchObject({ jobs: 10_000, first: 0 });
  expect(take(10_001)).toMatchObject({ jobs: undefined, first: undefined });
});
