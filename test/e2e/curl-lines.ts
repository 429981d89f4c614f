/** Each method of the API, called by `curl` through the edge, as the README shows it. */
import assert from "node:assert/strict";
import { run } from "./docker.ts";
import type { Stack } from "./stack.ts";
import { until } from "./stack.ts";

async function curl(url: string, body: string, token: string): Promise<Record<string, unknown>> {
  const authorization = token === "" ? [] : ["-H", `Authorization: Bearer ${token}`];
  const args = ["-sS", "--max-time", "20", "-X", "POST", url, "-d", body, ...authorization];
  const { code, stdout, stderr } = await run("curl", args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Returns the answers, for people to see. */
export async function callEveryMethod(stack: Stack): Promise<string[]> {
  const shown: string[] = [];
  const call = async (method: string, body: object, service = "JobService") => {
    const text = JSON.stringify(body);
    const answer = await curl(`${stack.edgeUrl}/${service}/${method}`, text, stack.token);
    shown.push(`${method} -d '${text}' -> ${JSON.stringify(answer).slice(0, 300)}`);
    return answer;
  };
  const added = await call("AddJob", { handler: "echo", payload: { hello: "world" } });
  assert.equal(added["created"], true);
  const { jobId } = added;
  await until("SUCCEEDED", 10_000, async () => {
    const { job } = (await stack.call("GetJobStatus", { jobId })) as { job: { status: string } };
    return job.status === "JOB_STATUS_SUCCEEDED";
  });
  const state = await call("GetJobStatus", { jobId });
  assert.deepEqual((state["lastResult"] as { output: unknown }).output, { hello: "world" });
  const daily = { at: "08:30", timeZone: "Asia/Shanghai" };
  const several = await call("AddJobs", {
    jobs: [
      { handler: "echo", daily },
      { handler: "echo", timed: { delay: "1s" } },
    ],
  });
  const [first] = several["outcomes"] as { added: { jobId: string } }[];
  const updated = await call("UpdateJob", { jobId: first?.added.jobId, job: { priority: 5 } });
  assert.equal((updated["job"] as { priority: number }).priority, 5);
  const listed = await call("GetAllJobs", { handler: "echo" });
  assert.equal((listed["jobs"] as unknown[]).length, 3);
  const results = await call("GetAllResult", { jobId });
  assert.equal((results["results"] as { outcome: string }[])[0]?.outcome, "OUTCOME_SUCCEEDED");
  const preview = await call("PreviewSchedule", { daily, count: 2 });
  assert.equal((preview["occurrences"] as unknown[]).length, 2);
  const dailyId = first?.added.jobId;
  const statusOf = (answer: unknown) => (answer as { job: { status: string } }).job.status;
  assert.equal(statusOf(await call("PauseJob", { jobId: dailyId })), "JOB_STATUS_PAUSED");
  assert.equal(statusOf(await call("ResumeJob", { jobId: dailyId })), "JOB_STATUS_WAITING");
  const triggered = (await call("TriggerJob", { jobId: dailyId }))["job"] as { parentId: string };
  assert.equal(triggered.parentId, dailyId);
  assert.equal(statusOf(await call("CancelJob", { jobId: dailyId })), "JOB_STATUS_WAITING");
  const failing = await call("AddJob", { handler: "fail", retry: { maxAttempts: 1 } });
  await until(
    "FAILED",
    10_000,
    async () =>
      statusOf(await stack.call("GetJobStatus", { jobId: failing["jobId"] })) === "JOB_STATUS_FAILED",
  );
  const retried = await call("RetryJob", { jobId: failing["jobId"] });
  assert.notEqual(statusOf(retried), "JOB_STATUS_FAILED");
  const unknownNode = await call("DrainNode", { nodeId: "nobody" }, "ClusterService");
  assert.equal(unknownNode["code"], "not_found");
  await call("DeleteJob", { jobId: dailyId });
  assert.equal((await call("GetJobStatus", { jobId: dailyId }))["code"], "not_found");
  const cluster = await call("GetCluster", {}, "ClusterService");
  assert.match(String(cluster["masterAddress"]), /^\d+\.\d+\.\d+\.\d+:7070$/);
  assert.equal((await call("AddJob", { handlr: "echo" }))["code"], "invalid_argument");
  return shown;
}
