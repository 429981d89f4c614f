import fc from "fast-check";
import { expect, test } from "vitest";
import { type JobSpec, NO_BOUNDS } from "../../../../src/core/job.ts";
import { parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import { decodeSpec, encodeSpec, sharesText } from "../../../../src/core/spec/spec-text.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";

const counts = fc.nat(1_000_000);
const specs: fc.Arbitrary<JobSpec> = fc.record({
  name: fc.string(),
  handler: fc.string({ minLength: 1 }),
  payload: fc.option(fc.json()),
  schedule: fc.oneof(
    fc.constant({ kind: "immediate" as const }),
    fc.record({ kind: fc.constant("timed" as const), runAt: counts }),
    fc.record({
      kind: fc.constant("daily" as const),
      secondOfDay: fc.nat(86_399),
      timeZone: fc.constantFrom("UTC", "Asia/Shanghai"),
      gap: fc.constantFrom("run_after" as const, "skip" as const),
      fold: fc.constantFrom("first" as const, "last" as const, "both" as const),
    }),
    fc.record({ kind: fc.constant("cron" as const), expression: fc.string(), timeZone: fc.constant("UTC") }),
    fc.record({ kind: fc.constant("interval" as const), everyMs: fc.nat(), anchor: fc.integer() }),
  ),
  bounds: fc.oneof(
    fc.constant(NO_BOUNDS),
    fc.record({
      startAt: fc.option(counts),
      endAt: fc.option(counts),
      maxOccurrences: fc.option(counts),
      lastAt: fc.option(counts),
    }),
  ),
  jitterMs: fc.nat(2),
  overlap: fc.constantFrom("wait" as const, "skip" as const, "allow" as const),
  deadlineMs: fc.option(counts),
  keyLife: fc.oneof(fc.constantFrom("kept" as const, "unfinished" as const), counts),
  misfire: fc.constantFrom("once" as const, "skip" as const, "all" as const),
  priority: fc.integer({ min: -100, max: 100 }),
  timeoutMs: fc.option(counts),
  retry: fc.record({
    maxAttempts: fc.nat(3),
    initialBackoffMs: fc.constantFrom(1000, 5),
    maxBackoffMs: fc.constantFrom(100_000, 7),
    multiplier: fc.constantFrom(2, 1.5),
  }),
  requirements: fc.record({
    slots: fc.integer({ min: 1, max: 3 }),
    memoryMb: fc.nat(2),
    labels: fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true }),
  }),
  idempotencyKey: fc.option(fc.string({ minLength: 1 })),
});

test("a spec comes back from its text and columns as it was", () => {
  const property = fc.property(specs, (spec) => {
    expect(decodeSpec(encodeSpec(spec), spec)).toEqual(spec);
  });
  fc.assert(property);
});

test("what control writes into a spec is kept", () => {
  const plain = specOrThrow(parseJobSpec({ handler: "echo" }, 0));
  const spec: JobSpec = { ...plain, startsAt: 12_345, isPausing: true, resumedAt: 0 };
  expect(decodeSpec(encodeSpec(spec), spec)).toEqual(spec);
});

test("defaults take no room", () => {
  const spec = specOrThrow(parseJobSpec({ handler: "echo", payload: '{"a":1}', priority: 3 }, 0));
  expect(encodeSpec(spec)).toBe('{"handler":"echo"}');
});

test("fields of a later version are passed over", () => {
  const text = '{"handler":"echo","retry":{"multiplier":3,"jitter":"full"},"colour":"red"}';
  const spec = decodeSpec(text, { name: "n", priority: 1, payload: null });
  expect(spec.retry).toEqual({
    maxAttempts: 0,
    initialBackoffMs: 1000,
    maxBackoffMs: 100_000,
    multiplier: 3,
  });
  expect(spec).not.toHaveProperty("colour");
});

const plain = specOf();
const others: Required<Omit<JobSpec, "name" | "payload" | "priority" | "allowsUnknownHandler">> = {
  handler: "other",
  schedule: { kind: "timed", runAt: 1 },
  bounds: { startAt: 1, endAt: null, maxOccurrences: null, lastAt: null },
  jitterMs: 1,
  misfire: "all",
  overlap: "skip",
  deadlineMs: 1,
  timeoutMs: 1,
  retry: { ...plain.retry, maxAttempts: 1 },
  requirements: { ...plain.requirements, slots: 2 },
  idempotencyKey: "key",
  keyLife: "unfinished",
  startsAt: 1,
  isPausing: true,
  resumedAt: 1,
};

test.each(Object.entries(others))(
  "%s has its place in the text, which is not shared then",
  (field, value) => {
    const spec = { ...plain, [field]: value };
    expect(encodeSpec(spec)).not.toBe(encodeSpec(plain));
    expect(decodeSpec(encodeSpec(spec), spec)).toEqual(spec);
    expect(sharesText(plain, spec)).toBe(false);
    expect(sharesText(spec, plain)).toBe(false);
  },
);

test("specs share their text when they differ in what has a column of its own", () => {
  const spec = { ...plain, name: "other", priority: 7, payload: "[1]" };
  expect(sharesText(plain, spec)).toBe(true);
  expect(encodeSpec(spec)).toBe(encodeSpec(plain));
});
