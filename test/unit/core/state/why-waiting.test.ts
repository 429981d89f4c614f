import { expect, test } from "vitest";
import { OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import { whyStillRunning, whyWaiting } from "../../../../src/core/state/why-waiting.ts";

const { WAITING, RUNNING } = STORED_STATUS;

test.each([
  ["waits for its first try", { status: WAITING, failures: 0, attempt: 0 }, ""],
  ["failed once", { status: WAITING, failures: 1, attempt: 1 }, "retry after 1 failed attempt"],
  ["failed twice", { status: WAITING, failures: 2, attempt: 3 }, "retry after 2 failed attempts"],
  ["was lost", { status: WAITING, failures: 0, attempt: 1 }, "retry: its node or thread was lost"],
  ["runs", { status: RUNNING, failures: 2, attempt: 3 }, ""],
])("the reason of a job that %s", (_, job, reason) => {
  expect(whyWaiting(job)).toBe(reason);
});

test("a job whose attempt was cancelled says so until its handler has ended", () => {
  const cancelled = { claim: 2, outcome: OUTCOME.CANCELLED };
  expect(whyStillRunning({ status: RUNNING, claim: 2 }, cancelled)).toMatch(/^cancelled/);
  expect(whyStillRunning({ status: RUNNING, claim: 3 }, cancelled)).toBe("");
  expect(whyStillRunning({ status: RUNNING, claim: 2 }, { ...cancelled, outcome: OUTCOME.FAILED })).toBe("");
  expect(whyStillRunning({ status: WAITING, claim: 2 }, cancelled)).toBe("");
  expect(whyStillRunning({ status: RUNNING, claim: 1 }, null)).toBe("");
});
