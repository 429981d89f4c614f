import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { AddJobRequestSchema } from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { describePut } from "../../../../src/rpc/conversion/put-request.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");

function described(job: JsonObject, key = "k") {
  return describePut(key, fromJson(AddJobRequestSchema, job), () => NOW);
}

function refusal(of: () => unknown): string {
  try {
    of();
  } catch (error) {
    if (error instanceof ElasticJobError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

test("a new job gets its key, and defaults; one that is there keeps what callers do not say", () => {
  const { key, added, changed } = described({ handler: "echo", interval: { every: "60s" } });
  expect(key).toBe("k");
  const { spec, asked } = added();
  expect(spec).toMatchObject({ idempotencyKey: "k", keyLife: "kept", schedule: { anchor: NOW } });
  expect(asked.idempotencyKey).toBe("k");
  expect(changed(spec)).toBe(spec);
  const paused = { ...spec, isPausing: true, resumedAt: 5, keyLife: 1000, startsAt: 9 } as const;
  expect(changed(paused)).toBe(paused);
  const { changed: otherwise } = described({ handler: "echo", interval: { every: "60s" }, priority: 2 });
  expect(otherwise(paused)).toEqual({ ...paused, priority: 2 });
});

test("a time that has passed is the same time whenever it is described", () => {
  const runAt = "2020-01-01T00:00:00Z";
  const { added, changed } = described({ handler: "echo", timed: { runAt } });
  const { spec } = added();
  expect(spec).toMatchObject({ schedule: { kind: "timed", runAt: Date.parse(runAt) } });
  expect(changed(spec)).toBe(spec);
});

describe("is refused", () => {
  test("without a key, or a job", () => {
    expect(refusal(() => described({ handler: "echo" }, ""))).toMatch(
      /^invalid_argument: idempotencyKey: is required/,
    );
    expect(refusal(() => describePut("k", undefined, () => NOW))).toMatch(
      /^invalid_argument: job: is required/,
    );
  });

  test("with another key, a key's life, what is for keys that are taken, or a parent", () => {
    const job = {
      handler: "echo",
      idempotencyKey: "other",
      keyLife: "KEY_LIFE_KEPT",
      keyReuse: "KEY_REUSE_ANY_BODY",
      parentId: "7",
    };
    const message = refusal(described(job).added);
    for (const field of ["job.idempotencyKey", "job.keyLife", "job.keyReuse", "job.parentId"])
      expect(message).toContain(`${field}: `);
    expect(refusal(described({ handler: "echo", keyTtl: "5s" }).added)).toContain(
      "job.keyTtl: is not for PutJob",
    );
  });

  test("with a delay, which would begin again with each put", () => {
    const { added, changed } = described({ handler: "echo", timed: { delay: "5s" } });
    expect(refusal(added)).toMatch(/^invalid_argument: timed\.delay: counts from each call/);
    const { spec } = described({ handler: "echo" }).added();
    expect(refusal(() => changed(spec))).toMatch(/^invalid_argument: timed\.delay/);
  });

  test("with fields that no job can have, whether one is there or not", () => {
    const { added, changed } = described({ handler: "echo", priority: 500, cron: { expression: "* *" } });
    const { spec } = described({ handler: "echo" }).added();
    for (const of of [added, () => changed(spec)]) {
      expect(refusal(of)).toMatch(/cron\.expression: .*; priority: is 500/);
    }
  });
});
