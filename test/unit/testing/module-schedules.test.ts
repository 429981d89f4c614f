import { expect, test } from "vitest";
import { defineJobs } from "../../../src/jobs/define-jobs.ts";
import { testCluster } from "../../../src/testing/index.ts";

const handlers = { report: () => "sent" };

test("a module's schedules are there when the test begins, and run", async () => {
  const schedules = {
    nightly: { handler: "report", cron: "0 3 * * *", timeZone: "Europe/Berlin" },
    often: { handler: "report", every: "10h" },
  };
  await using cluster = await testCluster({
    jobs: defineJobs(handlers, { schedules }),
    at: "2026-03-28T00:00:00Z",
  });
  expect(cluster.now()).toEqual(new Date("2026-03-28T00:00:00Z"));
  expect(cluster.jobs().map(({ name }) => name)).toEqual(["nightly", "often"]);
  await cluster.advance("48h");
  const nights = cluster.results("report").filter(({ jobId }) => jobId === cluster.jobs()[0]?.jobId);
  expect(nights.map(({ startTime }) => startTime)).toEqual(["2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"]);
});

test("a schedule that cannot be is told by its name, as when a node starts", async () => {
  const jobs = defineJobs(handlers, { schedules: { nightly: { handler: "reprot", cron: "0 3 * * *" } } });
  await expect(testCluster({ jobs })).rejects.toThrow(/^jobs: schedules\.nightly\.handler: .*reprot/);
});

test("a schedule that the master refuses is told by its name", async () => {
  const nightly = { handler: "report", cron: "0 3 * * *", endAt: "2026-03-27T00:00:00Z" };
  const jobs = defineJobs(handlers, { schedules: { nightly } });
  await expect(testCluster({ jobs, at: "2026-03-28T00:00:00Z" })).rejects.toThrow(
    /^jobs: schedules\.nightly: /,
  );
});
