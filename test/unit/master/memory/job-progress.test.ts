import { expect, test } from "vitest";
import { STORED_STATUS } from "../../../../src/core/job.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { ChangedJobs } from "../../../../src/master/memory/changed-jobs.ts";
import { ClaimHolders } from "../../../../src/master/memory/claim-holders.ts";
import { JobProgress } from "../../../../src/master/memory/job-progress.ts";
import { recordOf } from "../../../fixtures/job-fixture.ts";

function rig() {
  const holders = new ClaimHolders(new Queues());
  const changed: number[] = [];
  const changedJobs = new ChangedJobs();
  changedJobs.watch(5, () => changed.push(5));
  return { holders, changed, progress: new JobProgress({ holders, changedJobs }) };
}

const said = (jobId: number, claim: number, fraction: number) => ({
  jobId,
  claim,
  fraction,
  text: "",
  at: 0,
});
const running = (claim: number, node: number) =>
  recordOf({ id: 5, status: STORED_STATUS.RUNNING, claim, node });

test("the latest is kept, of claims that the node holds which says it", () => {
  const { holders, changed, progress } = rig();
  progress.take(1, [said(5, 2, 0.1)]);
  expect([progress.of(running(2, 1)), changed.length]).toEqual([null, 0]);
  holders.give(1, 5, 2);
  progress.take(1, [said(5, 2, 0.2)]);
  progress.take(1, [said(5, 2, 0.3)]);
  progress.take(1, [said(5, 1, 0.4)]);
  progress.take(2, [said(5, 2, 0.5)]);
  expect(progress.of(running(2, 1))).toMatchObject({ fraction: 0.3 });
  expect(changed).toEqual([5, 5]);
});

test("it is that of its claim alone, and of nobody's when the claim is over", () => {
  const { holders, progress } = rig();
  holders.give(1, 5, 2);
  progress.take(1, [said(5, 2, 0.2)]);
  expect(progress.of(running(3, 1))).toBeNull();
  holders.drop(1, 5, 2);
  expect(progress.of(running(2, 1))).toBeNull();
});

test("what is over does not pile up", () => {
  const { holders, progress } = rig();
  holders.give(1, 999_999, 1);
  progress.take(1, [said(999_999, 1, 0.5)]);
  for (let jobId = 1; jobId <= 10_000; jobId++) {
    holders.give(1, jobId, 1);
    progress.take(1, [said(jobId, 1, 0.5)]);
    holders.drop(1, jobId, 1);
  }
  expect(progress.size).toBeLessThanOrEqual(1_001);
  expect(progress.of(recordOf({ id: 999_999, claim: 1, node: 1 }))).not.toBeNull();
});
