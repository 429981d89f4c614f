import { toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  farEnd,
  type JobRecord,
  NEVER,
  OUTCOME,
  type ResultRecord,
  STORED_STATUS,
} from "../../../../src/core/job.ts";
import { parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import { JobResultSchema, JobSchema } from "../../../../src/gen/elasticjob/v1/job_pb.ts";
import { jobToMessage } from "../../../../src/rpc/conversion/job-message.ts";
import { resultToMessage } from "../../../../src/rpc/conversion/result-message.ts";
import { recordOf } from "./job-record.ts";

const nodeName = (node: number) => `n${node}`;

function jobJson(fields: Partial<JobRecord>, prepared = false) {
  return toJson(
    JobSchema,
    jobToMessage({ record: recordOf(fields), prepared, reason: "", lastResult: null }, nodeName),
  );
}

describe("a job", () => {
  test("is shown with all that it was added with, and where it stands", () => {
    const spec = specOrThrow(
      parseJobSpec(
        {
          handler: "echo",
          payload: '{"a":[1,null]}',
          schedule: { kind: "daily", at: "08:30" },
          startAt: 0,
          endAt: 86_400_000,
          maxOccurrences: 1,
          jitterMs: 60_000,
          overlap: "skip",
          deadlineMs: 5000,
          timeoutMs: 1500,
          requirements: { labels: { gpu: "true" } },
          idempotencyKey: "k",
        },
        0,
      ),
    );
    expect(jobJson({ spec, parentId: 41 })).toEqual({
      jobId: "42",
      priority: 0,
      name: "echo",
      handler: "echo",
      payload: { a: [1, null] },
      daily: { at: "08:30", timeZone: "UTC", gap: "GAP_RUN_AFTER", fold: "FOLD_FIRST" },
      startAt: "1970-01-01T00:00:00Z",
      endAt: "1970-01-02T00:00:00Z",
      maxOccurrences: 1,
      jitter: "60s",
      misfire: "MISFIRE_ONCE",
      overlap: "OVERLAP_SKIP",
      deadline: "5s",
      timeout: "1.500s",
      retry: { maxAttempts: 0, initialBackoff: "1s", maxBackoff: "100s", multiplier: 2 },
      requirements: { slots: 1, memoryMb: 0, labels: { gpu: "true" } },
      idempotencyKey: "k",
      keyLife: "KEY_LIFE_KEPT",
      status: "JOB_STATUS_WAITING",
      revision: 1,
      nextRunAt: "1970-01-01T00:00:03Z",
      createTime: "1970-01-01T00:00:01Z",
      updateTime: "1970-01-01T00:00:02Z",
      parentId: "41",
    });
  });

  test("that is waiting and due is PREPARED", () => {
    expect(jobJson({}, true)).toMatchObject({ status: "JOB_STATUS_PREPARED" });
  });

  test("that runs names its node, and as its next run the occurrence after this one", () => {
    const running = { status: STORED_STATUS.RUNNING, node: 3, claim: 1, attempt: 1 };
    const spec = specOrThrow(parseJobSpec({ handler: "echo", schedule: { kind: "daily", at: "00:00" } }, 0));
    expect(jobJson({ ...running, spec })).toMatchObject({ nodeId: "n3", nextRunAt: "1970-01-02T00:00:00Z" });
    expect(jobJson(running)).not.toHaveProperty("nextRunAt");
  });

  test("that is paused or finished has no next run, and no node", () => {
    for (const [status, at] of [
      [STORED_STATUS.PAUSED, NEVER],
      [STORED_STATUS.SUCCEEDED, farEnd(5000)],
      [STORED_STATUS.WAITING, NEVER],
    ] as const) {
      const json = jobJson({ status, at, node: 3 });
      expect(json).not.toHaveProperty("nextRunAt");
      expect(json).not.toHaveProperty("nodeId");
    }
  });
});

describe("a result", () => {
  const result: ResultRecord = {
    jobId: 42,
    claim: 7,
    late: false,
    outcome: OUTCOME.SUCCEEDED,
    attempt: 2,
    scheduledAt: 3000,
    startTime: 4000,
    endTime: 5000,
    retryAt: null,
    node: 3,
    placement: "least loaded",
    output: '{"ok":true}',
    error: null,
    reason: "",
    skippedThrough: null,
    skippedCount: 0,
  };
  const resultJson = (fields: Partial<ResultRecord>) =>
    toJson(JobResultSchema, resultToMessage({ ...result, ...fields }, nodeName));

  test("is shown with its output", () => {
    expect(resultJson({})).toEqual({
      jobId: "42",
      scheduledAt: "1970-01-01T00:00:03Z",
      attempt: 2,
      claim: 7,
      outcome: "OUTCOME_SUCCEEDED",
      output: { ok: true },
      nodeId: "n3",
      placement: "least loaded",
      startTime: "1970-01-01T00:00:04Z",
      endTime: "1970-01-01T00:00:05Z",
    });
  });

  test("of a failed attempt is shown with the error, made valid text, and the next try", () => {
    const error = { name: "TypeError", message: "half a pair: \ud83d" };
    expect(resultJson({ outcome: OUTCOME.FAILED, output: null, error, retryAt: 9000 })).toMatchObject({
      outcome: "OUTCOME_FAILED",
      error: { name: "TypeError", message: "half a pair: \ufffd" },
      retryAt: "1970-01-01T00:00:09Z",
    });
  });

  test("of a run of skips tells how many, and through when", () => {
    const skipped = {
      outcome: OUTCOME.SKIPPED,
      node: 0,
      skippedThrough: 8000,
      skippedCount: 5,
      reason: "misfire",
    };
    const json = resultJson(skipped);
    expect(json).toMatchObject({
      skippedThrough: "1970-01-01T00:00:08Z",
      skippedCount: 5,
      reason: "misfire",
    });
    expect(json).not.toHaveProperty("nodeId");
  });
});
