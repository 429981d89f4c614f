import { expect, test } from "vitest";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { whyWaiting } from "../../../src/core/why-waiting.ts";

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
