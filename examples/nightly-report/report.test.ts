/** A year's two changes of the clocks in a second or so: node --test examples/nightly-report/report.test.ts */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testCluster } from "elastic-job/testing";
import jobs from "./jobs.ts";

/** What the reports say of three nights, and when each was due. */
async function reportsOf(at: string) {
  await using cluster = await testCluster({ jobs, at, nodes: 2 });
  await cluster.advance("72h");
  return cluster.results("report").map(({ scheduledAt, output }) => ({ scheduledAt, output }));
}

test("the day on which summer time begins has 23 hours, and its night a report", async () => {
  assert.deepEqual(await reportsOf("2026-03-28T12:00:00Z"), [
    {
      scheduledAt: "2026-03-29T01:00:00Z",
      output: { day: "2026-03-28", from: "2026-03-27T23:00:00Z", until: "2026-03-28T23:00:00Z", hours: 24 },
    },
    {
      scheduledAt: "2026-03-30T00:30:00Z",
      output: { day: "2026-03-29", from: "2026-03-28T23:00:00Z", until: "2026-03-29T22:00:00Z", hours: 23 },
    },
    {
      scheduledAt: "2026-03-31T00:30:00Z",
      output: { day: "2026-03-30", from: "2026-03-29T22:00:00Z", until: "2026-03-30T22:00:00Z", hours: 24 },
    },
  ]);
});

test("the day on which summer time ends has 25 hours, and its night one report", async () => {
  const reports = await reportsOf("2026-10-24T12:00:00Z");
  assert.deepEqual(
    reports.map(({ scheduledAt }) => scheduledAt),
    ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
  );
  assert.deepEqual(
    reports.map(({ output }) => (output as { hours: number }).hours),
    [24, 25, 24],
  );
});
