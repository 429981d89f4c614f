import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

let node: TestNode;
beforeAll(async () => {
  node = await startNode();
});
afterAll(stopNodes);

async function refusal(
  method: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<string> {
  const stored = node.api.jobs.size;
  const response = await fetch(`${node.url}/elasticjob.v1.JobService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const answer = (await response.json()) as { code: string; message: string };
  expect(response.status).toBe(400);
  expect(answer.code).toBe("invalid_argument");
  expect(node.api.jobs.size).toBe(stored);
  return answer.message;
}

const DURATION = `a duration, such as "5s", "0.25s", "3m" or "1h30m", is accepted`;
const TIME = `an RFC 3339 time, such as "2026-12-01T08:00:00Z", is accepted`;
const MISFIRES = "MISFIRE_ONCE, MISFIRE_SKIP and MISFIRE_ALL are accepted";

describe("JSON that can be read but not decoded is refused by the names of its fields", () => {
  test.each([
    ["AddJob", '{"handler":"echo","timed":{"delay":"5"}}', `timed.delay: is "5"; ${DURATION}`],
    ["AddJob", '{"handler":"echo","timed":{"runAt":"tomorrow"}}', `timed.runAt: is "tomorrow"; ${TIME}`],
    ["AddJob", '{"handler":"echo","timed":{"run_at":5}}', `timed.run_at: is 5; ${TIME}`],
    ["AddJob", '{"handler":"echo","timeout":30}', `timeout: is 30; ${DURATION}`],
    ["AddJob", '{"handler":"echo","misfire":"MISFIRE_FOO"}', `misfire: is "MISFIRE_FOO"; ${MISFIRES}`],
    ["AddJob", '{"handler":"echo","misfire":1.5}', `misfire: is 1.5; ${MISFIRES}`],
    [
      "AddJob",
      '{"handler":"echo","daily":{"at":"08:30","gap":"skip"}}',
      'daily.gap: is "skip"; GAP_RUN_AFTER and GAP_SKIP are accepted',
    ],
    ["AddJob", '{"handler":["echo"]}', 'handler: is ["echo"]; a string is accepted'],
    ["AddJob", '{"handler":"echo","daily":"08:30"}', 'daily: is "08:30"; a JSON object is accepted'],
    [
      "AddJob",
      '{"handler":"echo","priority":1e10}',
      "priority: is 10000000000; a whole number from -100 to 100 is accepted",
    ],
    [
      "AddJob",
      '{"handler":"echo","priority":1.5}',
      "priority: is 1.5; a whole number from -100 to 100 is accepted",
    ],
    [
      "AddJob",
      '{"handler":"echo","retry":{"maxAttempts":"three","multiplier":"x"},"requirements":{"slots":0.5}}',
      'retry.maxAttempts: is "three"; a whole number from 0 to 2147483647 is accepted; ' +
        'retry.multiplier: is "x"; a number from 1 to 100 is accepted; ' +
        "requirements.slots: is 0.5; a whole number from 1 to 2147483647 is accepted",
    ],
    [
      "AddJob",
      '{"handler":"echo","retry":{"multiplier":1e400}}',
      "retry.multiplier: is a number that no double holds; a number from 1 to 100 is accepted",
    ],
    ["GetAllJobs", '{"pageSize":1.5}', "pageSize: is 1.5; a whole number from 0 to 1000 is accepted"],
    [
      "AddJob",
      '{"handler":"echo","requirements":{"labels":{"gpu":true,"zone":"a"}}}',
      "requirements.labels.gpu: is true; a string is accepted",
    ],
    [
      "AddJob",
      '{"handler":"echo","requirements":{"labels":"gpu"}}',
      'requirements.labels: is "gpu"; an object is accepted',
    ],
    [
      "AddJob",
      '{"handler":"echo","daily":{"at":"08:30","zone":"UTC"}}',
      "daily.zone: is not known; at, timeZone, gap and fold are accepted",
    ],
    ["AddJob", '{"handler":"echo","handler":"fail"}', "handler: is given twice; a name is accepted once"],
    [
      "AddJob",
      '{"handler":"echo","maxOccurrences":1,"max_occurrences":1}',
      "max_occurrences: is given twice, also as maxOccurrences",
    ],
    [
      "AddJob",
      '{"handler":"echo","immediate":{},"timed":{"delay":"1s"}}',
      "timed: does not go with immediate; at most one schedule is accepted",
    ],
    ["AddJob", "[]", "the body: is []; a JSON object is accepted"],
    ["AddJob", '{"handler":', "the body is not JSON: "],
    [
      "AddJobs",
      '{"jobs":[{"handler":"echo"},{"handler":"echo","timed":{"delay":"5"}},7]}',
      `jobs[1].timed.delay: is "5"; ${DURATION}; jobs[2]: is 7; a JSON object is accepted`,
    ],
    ["AddJobs", '{"jobs":{}}', "jobs: is {}; a list is accepted"],
    ["UpdateJob", '{"jobId":"1","updateMask":["name"]}', 'updateMask: is ["name"]; names of fields'],
    [
      "UpdateJob",
      '{"jobId":"1","job":{"retry":{"maxBackoff":"1 m"}}}',
      `job.retry.maxBackoff: is "1 m"; ${DURATION}`,
    ],
    [
      "CancelJob",
      '{"jobId":1,"scheduledAt":"now"}',
      `jobId: is 1; a string is accepted; scheduledAt: is "now"; ${TIME}`,
    ],
    [
      "GetAllJobs",
      '{"status":"WAITING"}',
      'status: is "WAITING"; JOB_STATUS_WAITING, JOB_STATUS_PREPARED, JOB_STATUS_RUNNING',
    ],
    ["GetAllResult", '{"outcome":"LOST","pageSize":"ten"}', 'outcome: is "LOST"; OUTCOME_SUCCEEDED'],
    ["PreviewSchedule", '{"after":"x","count":"y"}', `after: is "x"; ${TIME}; count: is "y"; a whole number`],
  ])("%s %s", async (method, body, message) => {
    const refused = await refusal(method, body);
    expect(refused).toContain(message);
    expect(refused).not.toMatch(/google\.protobuf|elasticjob\.v1\.\w+ from JSON/);
  });

  test("all of them at once", async () => {
    const body = `{"handler":5,"timed":{"delay":"5"},"misfire":"x","retry":{"multiplier":"two"},"nam":"x"}`;
    const names = (await refusal("AddJob", body))
      .split("; ")
      .flatMap((part) => /^([\w.]+): /.exec(part)?.[1] ?? []);
    expect(names).toEqual(["handler", "timed.delay", "misfire", "retry.multiplier", "nam"]);
  });

  test("also in a compressed body", async () => {
    const body = new Uint8Array(gzipSync('{"handler":"echo","timeout":"5"}'));
    expect(await refusal("AddJob", body, { "content-encoding": "gzip" })).toContain('timeout: is "5"');
  });

  test("a long value is cut, and of many problems only the first are told", async () => {
    const jobs = Array.from({ length: 10_000 }, () => ({ handler: "echo", timeout: "x".repeat(100) }));
    const message = await refusal("AddJobs", JSON.stringify({ jobs }));
    expect(message.length).toBeLessThan(20_000);
    expect(message).toMatch(/^jobs\[0\]\.timeout: .*; and more$/);
  });

  test("a field that is null is as if it were not there", async () => {
    expect(await refusal("AddJob", '{"handler":"echo","timed":null,"timeout":null,"misfire":"x"}')).toBe(
      `misfire: is "x"; ${MISFIRES}`,
    );
  });
});

describe("durations are taken as people write them", () => {
  async function add(body: unknown, headers: Record<string, string> = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJob`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: headers["content-encoding"] === "gzip" ? gzipSync(text) : text,
    });
    const answer = (await response.json()) as { jobId: string; message?: string };
    expect(answer.message).toBeUndefined();
    const job = node.api.jobs.get(Number(answer.jobId));
    if (job === undefined) throw new Error("not stored");
    return job;
  }

  test("minutes, hours, days, parts and milliseconds, wherever a duration is", async () => {
    const { spec } = await add({
      handler: "echo",
      payload: { delay: "3m" },
      timeout: "3m",
      deadline: "1h30m",
      retry: { initialBackoff: "500ms", maxBackoff: "2d", multiplier: 2 },
    });
    expect(spec).toMatchObject({ timeoutMs: 180_000, deadlineMs: 5_400_000 });
    expect(spec.retry).toMatchObject({ initialBackoffMs: 500, maxBackoffMs: 172_800_000 });
    expect(JSON.parse(spec.payload ?? "")).toEqual({ delay: "3m" });
  });

  test("in a oneof, under a name of the proto, and compressed", async () => {
    const before = Date.now();
    const { at } = await add({ handler: "echo", timed: { delay: "1.5h" } }, { "content-encoding": "gzip" });
    expect(at - before).toBeGreaterThan(5_390_000);
    const { spec } = await add({ handler: "echo", idempotency_key: "k", key_ttl: "2d" });
    expect(spec.keyLife).toBe(172_800_000);
  });

  test("in each job of a list", async () => {
    const before = node.api.jobs.size;
    const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jobs: [{ handler: "echo" }, { handler: "echo", timeout: "1m" }] }),
    });
    expect(response.status).toBe(200);
    expect(node.api.jobs.size).toBe(before + 2);
  });

  test("beside other problems only those are told, and keys that are there twice are refused", async () => {
    expect(await refusal("AddJob", '{"handler":"echo","timeout":"3m","priority":"high"}')).not.toContain(
      "timeout",
    );
    expect(await refusal("AddJob", '{"handler":"echo","timeout":"3m","timeout":"4m"}')).toContain("timeout");
    expect(await refusal("AddJob", '{"handler":"echo","timeout":"3 minutes"}')).toBe(
      `timeout: is "3 minutes"; ${DURATION}`,
    );
    expect(await refusal("AddJob", '{"handler":"echo","timeout":"-3m"}')).toBe(
      `timeout: is "-3m"; ${DURATION}`,
    );
  });
});
