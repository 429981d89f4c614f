/** Handlers and schedules, tested on a whole cluster in virtual time: `node --test examples/testing/report.test.ts` */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineJobs } from "elastic-job";
import { testCluster } from "elastic-job/testing";

/** `sleep`: what the handlers wait by; in production, that of `node:timers/promises`. */
const reports = (sleep: (ms: number, signal: AbortSignal) => Promise<void>) =>
  defineJobs({
    report: async (_job, ctx) => {
      await sleep(20 * 60_000, ctx.signal);
      return { night: ctx.scheduledAt, attempt: ctx.attempt };
    },
  });

test("the report of 02:30 comes each night, also when there is no 02:30, and when its node dies", async () => {
  await using cluster = await testCluster({
    jobs: reports((ms, signal) => cluster.clock.sleep(ms, signal)),
    at: "2026-03-28T00:00:00Z",
    nodes: 2,
    seed: 7,
  });
  const daily = { at: "02:30", timeZone: "Europe/Berlin" };
  await cluster.client.addJob({ handler: "report", daily });

  await cluster.advance({ until: "2026-03-29T01:10:00Z" });
  const [job] = cluster.jobs("report");
  assert.equal(job?.status, "JOB_STATUS_RUNNING");
  cluster.crash(job.nodeId);
  await cluster.advance("24h");

  const nights = cluster.results("report").map(({ outcome, output }) => [outcome, output]);
  assert.deepEqual(nights, [
    ["OUTCOME_SUCCEEDED", { night: "2026-03-28T01:30:00.000Z", attempt: 1 }],
    // The clocks went from 02:00 to 03:00, and the node died ten minutes into the report.
    ["OUTCOME_LOST", undefined],
    ["OUTCOME_SUCCEEDED", { night: "2026-03-29T01:00:00.000Z", attempt: 2 }],
    ["OUTCOME_SUCCEEDED", { night: "2026-03-30T00:30:00.000Z", attempt: 1 }],
  ]);
});
