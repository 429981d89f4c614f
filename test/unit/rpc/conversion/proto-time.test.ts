import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Problem } from "../../../../src/core/errors.ts";
import {
  durationOf,
  msFromDuration,
  msFromTimestamp,
  timestampOf,
} from "../../../../src/rpc/conversion/proto-time.ts";

const timestamp = (seconds: bigint, nanos = 0) => create(TimestampSchema, { seconds, nanos });
const duration = (seconds: bigint, nanos = 0) => create(DurationSchema, { seconds, nanos });

test("milliseconds come back as they were", () => {
  const property = fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
    const problems: Problem[] = [];
    expect(msFromTimestamp("t", timestampOf(ms), problems)).toBe(ms);
    expect(msFromDuration("d", durationOf(ms), problems)).toBe(ms);
    expect(problems).toEqual([]);
  });
  fc.assert(property);
});

test("finer fractions are rounded up, so that nothing is early and nothing becomes 0", () => {
  expect(msFromTimestamp("t", timestamp(5n, 1), [])).toBe(5001);
  expect(msFromDuration("d", duration(0n, 1), [])).toBe(1);
  expect(msFromDuration("d", duration(0n, -1), [])).toBe(-1);
});

test("what is absent is undefined, and no problem", () => {
  const problems: Problem[] = [];
  expect(msFromTimestamp("t", undefined, problems)).toBeUndefined();
  expect(msFromDuration("d", undefined, problems)).toBeUndefined();
  expect(problems).toEqual([]);
});

test("what protobuf does not allow is refused by field", () => {
  const problems: Problem[] = [];
  for (const bad of [
    timestamp(253_402_300_800n),
    timestamp(-62_135_596_801n),
    timestamp(0n, -1),
    timestamp(0n, 1_000_000_000),
  ]) {
    expect(msFromTimestamp("timed.runAt", bad, problems)).toBeUndefined();
  }
  for (const bad of [
    duration(315_576_000_001n),
    duration(-(1n << 63n)),
    duration(1n, -1),
    duration(-1n, 1),
    duration(0n, 1_000_000_000),
  ]) {
    expect(msFromDuration("timeout", bad, problems)).toBeUndefined();
  }
  expect(problems.map(({ field }) => field)).toEqual([
    ...Array.from({ length: 4 }, () => "timed.runAt"),
    ...Array.from({ length: 5 }, () => "timeout"),
  ]);
});
