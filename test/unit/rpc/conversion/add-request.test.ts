import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { JobSpec } from "../../../../src/core/job.ts";
import { isProblems, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import { type AddJobRequest, AddJobRequestSchema } from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { parseAddRequest } from "../../../../src/rpc/conversion/add-request.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");

function accepted(json: JsonValue): JobSpec {
  return specOrThrow(parseAddRequest(fromJson(AddJobRequestSchema, json), NOW).parsed);
}

function refused(request: AddJobRequest): string[] {
  const { parsed } = parseAddRequest(request, NOW);
  return isProblems(parsed) ? parsed.map(({ field, message }) => `${field}: ${message}`) : [];
}

test("a request with every field becomes a spec with every field", () => {
  const spec = accepted({
    name: "hello",
    handler: "echo",
    payload: { any: ["JSON", 1.5, null, true] },
    daily: { at: "08:30", timeZone: "Asia/Shanghai", gap: "GAP_SKIP", fold: "FOLD_BOTH" },
    startAt: "2026-11-01T00:00:00Z",
    endAt: "2026-12-01T00:00:00Z",
    maxOccurrences: 3,
    jitter: "90s",
    misfire: "MISFIRE_ALL",
    overlap: "OVERLAP_ALLOW",
    deadline: "3600s",
    priority: -7,
    timeout: "30.5s",
    retry: { maxAttempts: 3, initialBackoff: "0.25s", maxBackoff: "10s", multiplier: 1.5 },
    requirements: { slots: 2, memoryMb: 64, labels: { gpu: "true" } },
    idempotencyKey: "order-42",
    keyTtl: "86400s",
  });
  expect(spec).toEqual({
    name: "hello",
    handler: "echo",
    payload: '{"any":["JSON",1.5,null,true]}',
    schedule: { kind: "daily", secondOfDay: 30_600, timeZone: "Asia/Shanghai", gap: "skip", fold: "both" },
    bounds: {
      startAt: Date.parse("2026-11-01T00:00:00Z"),
      endAt: Date.parse("2026-12-01T00:00:00Z"),
      maxOccurrences: 3,
      lastAt: Date.parse("2026-11-03T08:30:00+08:00"),
    },
    jitterMs: 90_000,
    misfire: "all",
    overlap: "allow",
    deadlineMs: 3_600_000,
    priority: -7,
    timeoutMs: 30_500,
    retry: { maxAttempts: 3, initialBackoffMs: 250, maxBackoffMs: 10_000, multiplier: 1.5 },
    requirements: { slots: 2, memoryMb: 64, labels: { gpu: "true" } },
    idempotencyKey: "order-42",
    keyLife: 86_400_000,
  });
});

test("a key can name its job until that has ended", () => {
  const request = { handler: "echo", idempotencyKey: "k", keyLife: "KEY_LIFE_UNFINISHED" };
  expect(accepted(request).keyLife).toBe("unfinished");
});

test("fields that need another one, or daily or cron, are refused by the names that callers know", () => {
  const request = fromJson(AddJobRequestSchema, {
    handler: "echo",
    startAt: "2026-11-01T00:00:00Z",
    endAt: "2026-12-01T00:00:00Z",
    maxOccurrences: 3,
    jitter: "90s",
    overlap: "OVERLAP_WAIT",
    keyLife: "KEY_LIFE_KEPT",
    keyTtl: "1s",
  });
  expect(refused(request).map((problem) => problem.split(":")[0])).toEqual([
    "keyLife",
    "keyTtl",
    "overlap",
    "jitter",
    "startAt",
    "endAt",
    "maxOccurrences",
  ]);
});

test("no payload and a payload of null are two things", () => {
  expect(accepted({ handler: "echo" }).payload).toBeNull();
  expect(accepted({ handler: "echo", payload: null }).payload).toBe("null");
});

describe("the schedules", () => {
  test("none means immediate", () => {
    expect(accepted({ handler: "echo" }).schedule).toEqual({ kind: "immediate" });
    expect(accepted({ handler: "echo", immediate: {} }).schedule).toEqual({ kind: "immediate" });
  });

  test("timed takes an instant or a delay", () => {
    expect(accepted({ handler: "echo", timed: { runAt: "2026-12-01T08:00:00+08:00" } }).schedule).toEqual({
      kind: "timed",
      runAt: Date.parse("2026-12-01T00:00:00Z"),
    });
    expect(accepted({ handler: "echo", timed: { delay: "3s" } }).schedule).toEqual({
      kind: "timed",
      runAt: NOW + 3000,
    });
  });

  test("interval takes a length and an anchor, by default now", () => {
    const anchor = "2030-01-01T00:00:00Z";
    expect(accepted({ handler: "echo", interval: { every: "1.5s", anchor } }).schedule).toEqual({
      kind: "interval",
      everyMs: 1500,
      anchor: Date.parse(anchor),
    });
    expect(accepted({ handler: "echo", interval: { every: "5400s" } }).schedule).toEqual({
      kind: "interval",
      everyMs: 5_400_000,
      anchor: NOW,
    });
  });

  test("cron takes an expression and a zone, UTC by default", () => {
    expect(accepted({ handler: "echo", cron: { expression: "*/5 * * * *" } }).schedule).toEqual({
      kind: "cron",
      expression: "*/5 * * * *",
      timeZone: "UTC",
    });
  });

  test("a negative delay is refused, however small", () => {
    for (const delay of ["-1s", "-0.000000001s"]) {
      const request = fromJson(AddJobRequestSchema, { handler: "echo", timed: { delay } });
      expect(refused(request)).toEqual([expect.stringMatching(/^timed\.delay: is -/)]);
    }
  });
});

test("what only a binary request can carry is refused by field, all at once", () => {
  const request = create(AddJobRequestSchema, {
    handler: "echo",
    payload: { kind: { case: "numberValue", value: Number.NaN } },
    schedule: { case: "timed", value: { when: { case: "runAt", value: { seconds: 1n << 62n, nanos: 0 } } } },
    misfire: 77 as never,
    timeout: { seconds: 1n, nanos: -1 },
    retry: { maxBackoff: { seconds: -(1n << 63n), nanos: 0 } },
    priority: 1000,
  });
  expect(refused(request).map((problem) => problem.split(":")[0])).toEqual([
    "payload",
    "timed.runAt",
    "misfire",
    "timeout",
    "retry.maxBackoff",
    "priority",
  ]);
});

test("timed without a time, daily without one, cron without an expression and interval without a length are refused", () => {
  const problems = (["timed", "daily", "cron", "interval"] as const).flatMap((kind) =>
    refused(fromJson(AddJobRequestSchema, { handler: "echo", [kind]: {} })),
  );
  expect(problems).toEqual([
    "timed: needs runAt (an instant) or delay (a time from now)",
    "daily.at: is required; HH:MM or HH:MM:SS, 00:00 to 23:59:59, is accepted",
    expect.stringMatching(/^cron\.expression: "" has 0 fields/),
    'interval.every: is required, for example "90s"',
  ]);
});

test("a parent is a job's id; what is none is refused", () => {
  const withParent = (parentId: string) => create(AddJobRequestSchema, { handler: "echo", parentId });
  expect(parseAddRequest(withParent("7"), NOW).asked.parentId).toBe(7);
  expect(parseAddRequest(withParent(""), NOW).asked.parentId).toBe(0);
  for (const wrong of ["0", "-1", "x", "1.5", "99999999999999999"]) {
    expect(refused(withParent(wrong))).toEqual([
      `parentId: "${wrong}" is not a job's id; a positive whole number in decimal is accepted`,
    ]);
  }
});
