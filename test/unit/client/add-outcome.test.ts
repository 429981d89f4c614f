import { expect, test } from "vitest";
import { outcomesOf } from "../../../src/client/add-outcome.ts";
import type { AddJobsResponse } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob } from "../../../src/master/job-api.ts";
import { addedTable } from "../../../src/rpc/conversion/job-table.ts";

const NOW = Date.UTC(2026, 5, 1);
const DUE = "2026-06-01T00:00:00Z";

function received(jobs: readonly AddedJob[]) {
  const response: AddJobsResponse = {
    $typeName: "elasticjob.v1.AddJobsResponse",
    outcomes: [],
    added: addedTable(jobs),
  };
  return outcomesOf(response, jobs.length);
}

test("each job of a table has the reason that it waits for", () => {
  const reason = 'no connected node offers the handler "work"';
  const jobs = [
    { jobId: 1, created: true, nextRunAt: NOW },
    { jobId: 2, created: true, nextRunAt: NOW, reason },
    { jobId: 3, created: false, nextRunAt: NOW, reason },
  ];
  expect(received(jobs)).toEqual([
    { jobId: "1", created: true, nextRunAt: DUE, reason: "" },
    { jobId: "2", created: true, nextRunAt: DUE, reason },
    { jobId: "3", created: false, nextRunAt: DUE, reason },
  ]);
  // Each text travels once.
  expect(addedTable(jobs).text).toEqual(["", reason]);
});

test("jobs that nothing holds up cost nothing more", () => {
  const jobs = [{ jobId: 1, created: true, nextRunAt: NOW }];
  expect(addedTable(jobs)).toMatchObject({ reason: [], text: [] });
  expect(received(jobs)).toEqual([{ jobId: "1", created: true, nextRunAt: DUE, reason: "" }]);
});
