import fc from "fast-check";
import { expect, test } from "vitest";
import { invalidArgument } from "../../../../src/core/errors.ts";
import { DEFAULT_RETRY } from "../../../../src/core/spec/check-retry.ts";
import { parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import type { RawJobSpec } from "../../../../src/core/spec/raw-job-spec.ts";
import {
  decodeDigests,
  differingFields,
  digestFields,
  digestInTurns,
  encodeDigests,
} from "../../../../src/master/adding/field-digests.ts";
import type { AddItem } from "../../../../src/master/job-api.ts";

const DAILY = { kind: "daily", at: "08:30" } as const;
const FULL: RawJobSpec = {
  name: "a name",
  handler: "work",
  payload: '{"a":1}',
  schedule: DAILY,
  startAt: 4e12,
  endAt: 5e12,
  maxOccurrences: 3,
  jitterMs: 1000,
  misfire: "skip",
  overlap: "skip",
  deadlineMs: 60_000,
  priority: 1,
  timeoutMs: 5000,
  retry: { maxAttempts: 3, initialBackoffMs: 10, maxBackoffMs: 20, multiplier: 3 },
  requirements: { slots: 2, memoryMb: 3, labels: { gpu: "yes", zone: "a" } },
  idempotencyKey: "key",
  keyTtlMs: 1000,
};

function itemOf(asked: RawJobSpec): AddItem {
  return { asked, spec: specOrThrow(parseJobSpec(asked, 1)) };
}

function differing(one: RawJobSpec, other: RawJobSpec): string[] {
  const [first, second] = digestFields([itemOf(one), itemOf(other)]);
  if (first === undefined) throw new Error("nothing was digested");
  return differingFields(first, second);
}

test.each<[string, RawJobSpec]>([
  ["name", { name: "other" }],
  ["handler", { handler: "other" }],
  ["payload", { payload: '{"a":2}' }],
  ["payload", { payload: null }],
  ["schedule", { schedule: { kind: "daily", at: "08:31" } }],
  ["schedule", { schedule: { ...DAILY, timeZone: "Europe/Berlin" } }],
  ["schedule", { schedule: { ...DAILY, gap: "skip" } }],
  ["schedule", { schedule: { ...DAILY, fold: "both" } }],
  ["schedule", { schedule: { kind: "cron", expression: "30 8 * * *" } }],
  ["startAt", { startAt: 4e12 + 1 }],
  ["endAt", { endAt: 5e12 + 1 }],
  ["maxOccurrences", { maxOccurrences: 4 }],
  ["jitter", { jitterMs: 1001 }],
  ["misfire", { misfire: "all" }],
  ["overlap", { overlap: "allow" }],
  ["deadline", { deadlineMs: 60_001 }],
  ["priority", { priority: 0 }],
  ["timeout", { timeoutMs: null }],
  ["retry.maxAttempts", { retry: { ...FULL.retry, maxAttempts: 4 } }],
  ["retry.initialBackoff", { retry: { ...FULL.retry, initialBackoffMs: 11 } }],
  ["retry.maxBackoff", { retry: { ...FULL.retry, maxBackoffMs: 21 } }],
  ["retry.multiplier", { retry: { ...FULL.retry, multiplier: 2 } }],
  ["requirements.slots", { requirements: { ...FULL.requirements, slots: 1 } }],
  ["requirements.memoryMb", { requirements: { ...FULL.requirements, memoryMb: 0 } }],
  ["requirements.labels", { requirements: { ...FULL.requirements, labels: { gpu: "yes" } } }],
  ["idempotencyKey", { idempotencyKey: "another" }],
  ["keyTtl", { keyTtlMs: 1001 }],
  ["parentId", { parentId: 7 }],
])("a job that differs in %s alone is told to", (name, change) => {
  expect(differing(FULL, { ...FULL, ...change })).toEqual([name]);
});

test("defaults are the same, given or not, and so are labels in any order, and whether any body is taken", () => {
  const bare: RawJobSpec = { handler: "work", schedule: DAILY, idempotencyKey: "key" };
  const filled: RawJobSpec = {
    name: "work",
    handler: "work",
    payload: null,
    schedule: DAILY,
    misfire: "once",
    overlap: "wait",
    priority: 0,
    retry: DEFAULT_RETRY,
    requirements: { slots: 1, memoryMb: 0, labels: {} },
    idempotencyKey: "key",
    keyLife: "kept",
    keyReuse: "any_body",
  };
  expect(digestFields([itemOf(bare)])).toEqual(digestFields([itemOf(filled)]));
  const requirements = { ...FULL.requirements, labels: { zone: "a", gpu: "yes" } };
  expect(differing(FULL, { ...FULL, requirements })).toEqual([]);
  const utc: RawJobSpec = {
    ...FULL,
    schedule: { ...DAILY, timeZone: "UTC", gap: "run_after", fold: "first" },
  };
  expect(differing(FULL, utc)).toEqual([]);
});

test("a delay is a delay, whenever it comes", () => {
  const asked: RawJobSpec = { handler: "work", schedule: { kind: "timed", delayMs: 1000 } };
  const at = (now: number) => digestFields([{ asked, spec: specOrThrow(parseJobSpec(asked, now)) }]);
  expect(at(1e12)).toEqual(at(2e12));
});

test("a job is the same whether it is accepted or refused by now", () => {
  const refused = { asked: FULL, spec: invalidArgument([{ field: "endAt", message: "has passed" }]) };
  expect(digestFields([refused])).toEqual(digestFields([itemOf(FULL)]));
});

test("what jobs have in common is stored once, and all comes back as it was", async () => {
  const item = fc
    .record({ name: fc.constantFrom("a", "b"), priority: fc.integer({ min: 0, max: 2 }), payload: fc.json() })
    .map((fields) => itemOf({ handler: "work", ...fields }));
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 20 }), async (items) => {
      const digests = digestFields(items);
      expect(decodeDigests(encodeDigests(digests))).toEqual(digests);
      expect(await digestInTurns(items, async () => {})).toEqual(digests);
    }),
  );
  const many = Array.from({ length: 1000 }, (_, i) => itemOf({ ...FULL, payload: String(i) }));
  const common = encodeDigests(digestFields(many.slice(0, 1))).length;
  expect(encodeDigests(digestFields(many)).length).toBe(common + 999 * 6);
  expect(decodeDigests(new Uint8Array())).toBe(null);
});

test("a large call gives others their turn", async () => {
  let turns = 0;
  const digests = await digestInTurns(
    Array.from({ length: 2_500 }, (_, i) => itemOf({ handler: "work", payload: String(i) })),
    async () => {
      turns++;
    },
  );
  expect([turns, digests.length]).toEqual([2, 2_500]);
});
