import { fromBinary, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type JobSpec, NO_BOUNDS } from "../../../../src/core/job.ts";
import { isProblems, parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import { JobSchema } from "../../../../src/gen/elasticjob/v1/job_pb.ts";
import { jobToMessage } from "../../../../src/rpc/conversion/job-message.ts";
import { applyUpdate } from "../../../../src/rpc/conversion/update-request.ts";
import { recordOf } from "./job-record.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");

const DAY_MS = 86_400_000;

const SPEC = specOrThrow(
  parseJobSpec(
    {
      name: "report",
      handler: "echo",
      payload: '{"a":1}',
      schedule: { kind: "daily", at: "08:30", timeZone: "Europe/Berlin" },
      startAt: NOW + 1,
      endAt: NOW + 30 * DAY_MS,
      maxOccurrences: 7,
      jitterMs: 5000,
      misfire: "skip",
      overlap: "skip",
      deadlineMs: 60_000,
      priority: 5,
      timeoutMs: 1000,
      retry: { maxAttempts: 3, initialBackoffMs: 500 },
      requirements: { slots: 2, labels: { zone: "a" } },
      idempotencyKey: "k",
      keyLife: "unfinished",
    },
    NOW,
  ),
);

function updated(job: JsonObject, mask: string[] = [], spec = SPEC): JobSpec {
  return specOrThrow(applyUpdate(spec, fromJson(JobSchema, job), mask, NOW));
}

function refused(job: JsonObject, mask: string[] = []): string[] {
  const result = applyUpdate(SPEC, fromJson(JobSchema, job), mask, NOW);
  return isProblems(result) ? result.map(({ field, message }) => `${field}: ${message}`) : [];
}

describe("with a mask", () => {
  test("only what it names changes", () => {
    expect(updated({ priority: 9, name: "other", handler: "x y" }, ["priority"])).toEqual({
      ...SPEC,
      priority: 9,
    });
  });

  test("what it names and the job leaves out takes its default", () => {
    const masked = ["name", "payload", "misfire", "priority", "timeout", "retry", "requirements"];
    const more = ["startAt", "endAt", "maxOccurrences", "jitter", "overlap", "deadline"];
    expect(updated({}, [...masked, ...more])).toEqual({
      ...SPEC,
      name: "echo",
      payload: null,
      bounds: NO_BOUNDS,
      jitterMs: 0,
      misfire: "once",
      overlap: "wait",
      deadlineMs: null,
      priority: 0,
      timeoutMs: null,
      retry: { maxAttempts: 0, initialBackoffMs: 1000, maxBackoffMs: 100_000, multiplier: 2 },
      requirements: { slots: 1, memoryMb: 0, labels: {} },
    });
  });

  test("paths are taken in both spellings, and those within retry and requirements change one field", () => {
    for (const path of ["retry.maxAttempts", "retry.max_attempts"]) {
      expect(updated({ retry: { maxAttempts: 7, multiplier: 9 } }, [path]).retry).toEqual({
        ...SPEC.retry,
        maxAttempts: 7,
      });
    }
    expect(updated({ requirements: { memoryMb: 64 } }, ["requirements.memory_mb"]).requirements).toEqual({
      ...SPEC.requirements,
      memoryMb: 64,
    });
  });

  test("schedule stands for whichever is set, and each kind for itself", () => {
    const cron = { kind: "cron", expression: "0 9 * * *", timeZone: "UTC" };
    for (const mask of ["schedule", "cron"]) {
      expect(updated({ cron: { expression: "0 9 * * *" } }, [mask])).toEqual({
        ...SPEC,
        schedule: cron,
        bounds: { ...SPEC.bounds, lastAt: Date.parse("2026-10-17T09:00:00Z") },
      });
    }
  });

  test("a schedule that is named and missing, or of another kind, is refused", () => {
    expect(refused({}, ["schedule"])).toEqual([
      "job.schedule: is named by updateMask, and not set; one of immediate, timed, daily, cron, interval is accepted",
    ]);
    expect(refused({ cron: { expression: "0 9 * * *" } }, ["daily"])).toEqual([
      "updateMask: names daily, but in job cron is set",
    ]);
  });

  test("an interval keeps its anchor when it is named again, and takes over what recurring schedules take", () => {
    const changed = updated({ interval: { every: "90s" } }, ["interval"]);
    const schedule = { kind: "interval", everyMs: 90_000, anchor: NOW };
    const { bounds, misfire, overlap } = SPEC;
    expect(changed).toMatchObject({ schedule, bounds: { startAt: bounds.startAt }, misfire, overlap });
    const job = fromJson(JobSchema, { interval: { every: "90s" } });
    expect(applyUpdate(changed, job, ["interval"], NOW + 5000)).toBe(changed);
  });

  test("what only a recurring schedule takes goes with it, unless the caller insists on one", () => {
    expect(updated({ timed: { delay: "5s" } }, ["timed"])).toEqual({
      ...SPEC,
      schedule: { kind: "timed", runAt: NOW + 5000 },
      bounds: NO_BOUNDS,
      jitterMs: 0,
      misfire: "once",
      overlap: "wait",
    });
    expect(refused({ immediate: {}, misfire: "MISFIRE_ALL" }, ["schedule", "misfire"])).toEqual([
      "misfire: is for daily, cron and interval schedules only, and the schedule is immediate; leave it out",
    ]);
  });

  test("every path that cannot be changed is refused, and so are the bad values beside them", () => {
    const problems = refused({ priority: 500 }, [
      "status",
      "idempotency_key",
      "key_life",
      "jobId",
      "*",
      "daily.at",
      "priority",
    ]);
    expect(problems.map((problem) => problem.slice(0, 30))).toEqual([
      'updateMask: "status" is not a ',
      'updateMask: "idempotency_key" ',
      'updateMask: "key_life" is not ',
      'updateMask: "jobId" is not a f',
      'updateMask: "*" is not a field',
      'updateMask: "daily.at" is not ',
      "priority: is 500; a whole numb",
    ]);
    expect(problems[0]).toContain("retry.maxAttempts");
  });
});

test("an update that changes nothing gives the very spec", () => {
  const same: [JsonObject, string[]][] = [
    [{ priority: 5, name: "report" }, []],
    [{ payload: { a: 1 }, timeout: "1s", daily: { at: "08:30:00", timeZone: "Europe/Berlin" } }, []],
    [{ endAt: new Date(NOW + 30 * DAY_MS).toISOString(), maxOccurrences: 7 }, ["endAt", "maxOccurrences"]],
    [{ daily: { at: "08:30", timeZone: "Europe/Berlin", fold: "FOLD_FIRST" } }, ["schedule"]],
    [{ requirements: { labels: { zone: "a" } } }, ["requirements.labels"]],
    [{ retry: { maxAttempts: 3, initialBackoff: "0.5s" } }, ["retry"]],
    [{ misfire: "MISFIRE_SKIP", overlap: "OVERLAP_SKIP", jitter: "5s", deadline: "60s" }, []],
  ];
  for (const [job, mask] of same) expect(applyUpdate(SPEC, fromJson(JobSchema, job), mask, NOW)).toBe(SPEC);
  const spec = { ...SPEC, startsAt: NOW + 1, isPausing: true as const };
  expect(updated({ priority: 5 }, [], spec)).toBe(spec);
  const labels = { b: "1", a: "2" };
  const labelled = { ...SPEC, requirements: { ...SPEC.requirements, labels } };
  expect(updated({ requirements: { labels: { a: "2", b: "1" } } }, [], labelled)).toBe(labelled);
});

describe("without a mask", () => {
  test("what is set in the job changes, for retry and requirements field by field", () => {
    expect(
      updated({ priority: 1, retry: { multiplier: 3 }, requirements: { labels: { gpu: "true" } } }),
    ).toEqual({
      ...SPEC,
      priority: 1,
      retry: { ...SPEC.retry, multiplier: 3 },
      requirements: { ...SPEC.requirements, labels: { gpu: "true" } },
    });
  });

  test("a job that is sent back as it was read changes nothing", () => {
    const timed = specOrThrow(
      parseJobSpec({ handler: "echo", schedule: { kind: "timed", runAt: NOW - 9 } }, NOW - 10),
    );
    const immediate = specOrThrow(parseJobSpec({ handler: "echo" }, NOW));
    for (const spec of [SPEC, timed, immediate]) {
      const view = { record: recordOf({ spec }), prepared: true, reason: "r", lastResult: null };
      const message = jobToMessage(view, () => "n1");
      expect(applyUpdate(spec, message, [], NOW)).toBe(spec);
      expect(applyUpdate(spec, fromBinary(JobSchema, toBinary(JobSchema, message)), [], NOW)).toBe(spec);
    }
  });

  test("what is set to its default takes it", () => {
    expect(updated({ priority: 0 })).toEqual({ ...SPEC, priority: 0 });
    expect(updated({ name: "" })).toEqual({ ...SPEC, name: "echo" });
    expect(updated({ payload: null })).toEqual({ ...SPEC, payload: "null" });
    expect(updated({ retry: { maxAttempts: 0 } }).retry).toEqual({ ...SPEC.retry, maxAttempts: 0 });
    expect(updated({ requirements: { slots: 1, memoryMb: 0 } }).requirements.slots).toBe(1);
    expect(refused({ handler: "", priority: 1 })).toEqual(['handler: is required, for example "echo"']);
  });

  test("what may mean a default or nothing is asked for by name, and so is something to change", () => {
    expect(refused({ retry: {}, priority: 1 })).toEqual([
      "job.retry: is empty, and may mean its default, or nothing; name retry in updateMask to set it to its default",
    ]);
    expect(refused({ requirements: { labels: {} } })).toEqual([
      "job.requirements: is empty, and may mean its default, or nothing; name requirements (or requirements.labels) in updateMask to set it to its default",
    ]);
    for (const job of [{}, { jobId: "1", status: "JOB_STATUS_WAITING" }, { timeout: null }]) {
      expect(refused(job)).toEqual([
        "job: has no field set that can be changed; set one, or name in updateMask what is to take its default",
      ]);
    }
  });

  test("another idempotency key, or another life for it, is refused", () => {
    const job = { idempotencyKey: "other", keyLife: "KEY_LIFE_KEPT", keyTtl: "5s" };
    expect(refused(job)).toEqual([
      "job.idempotencyKey: cannot be changed; leave it out",
      "job.keyLife: cannot be changed; leave it out",
      "job.keyTtl: cannot be changed; leave it out",
    ]);
    expect(updated({ idempotencyKey: "k", keyLife: "KEY_LIFE_UNFINISHED", priority: 9 }).priority).toBe(9);
  });

  test("bounds are found anew when one of them changes, and only then", () => {
    const later = NOW + 100 * DAY_MS;
    const past = applyUpdate(SPEC, fromJson(JobSchema, { priority: 9 }), [], later);
    expect(specOrThrow(past).bounds).toBe(SPEC.bounds);
    expect(updated({ maxOccurrences: 2 }).bounds).toEqual({
      ...SPEC.bounds,
      maxOccurrences: 2,
      lastAt: Date.parse("2026-10-12T08:30:00+02:00"),
    });
    const ended = applyUpdate(SPEC, fromJson(JobSchema, { maxOccurrences: 2 }), [], later);
    expect(isProblems(ended) && ended.map(({ field }) => field)).toEqual(["endAt"]);
  });
});

test("the start of a schedule that replaced another one stays until the next replacement", () => {
  const spec = { ...SPEC, startsAt: NOW + 1 };
  expect(updated({ priority: 1 }, ["priority"], spec)).toEqual({ ...spec, priority: 1 });
  expect(updated({ immediate: {} }, ["schedule"], spec)).not.toHaveProperty("startsAt");
});

test("what control has written into a spec stays", () => {
  const spec: JobSpec = { ...SPEC, isPausing: true, resumedAt: NOW };
  expect(updated({ priority: 1 }, [], spec)).toEqual({ ...spec, priority: 1 });
  expect(updated({ immediate: {} }, [], spec)).toMatchObject({ isPausing: true, resumedAt: NOW });
});

test("a payload that was accepted under a larger limit does not stand in the way of other changes", () => {
  const job = fromJson(JobSchema, { priority: 2 });
  expect(applyUpdate(SPEC, job, [], NOW, { maxPayloadBytes: 1 })).toEqual({ ...SPEC, priority: 2 });
});

test("an update without a job is refused", () => {
  expect(applyUpdate(SPEC, undefined, ["name"], NOW)).toEqual([
    { field: "job", message: "is required: the new values" },
  ]);
});
