import { expect, test } from "vitest";
import { assignmentOf, bySize } from "../../../../src/master/nodes/make-assignment.ts";
import { recordOf, specOf } from "../../../fixtures/job-fixture.ts";

const highest = { random: { next: () => 1, id: () => "" }, now: 5000 };
const delayAfter = (failures: number, maxAttempts = 0) => {
  const spec = specOf({ retry: { ...specOf().retry, maxAttempts } });
  return assignmentOf(recordOf({ failures, spec }), "", highest).retryDelayMs;
};

test("each failure in a row doubles the wait that a claim carries", () => {
  expect([0, 1, 2, 3].map((failures) => delayAfter(failures))).toEqual([1000, 2000, 4000, 8000]);
});

test("the last attempt carries no wait", () => {
  expect([0, 1, 2].map((failures) => delayAfter(failures, 3))).toEqual([1000, 2000, null]);
});

test("a claim ahead of its time says when that is; one that is due is begun at once", () => {
  const startAt = (at: number) => assignmentOf(recordOf({ at }), "", highest).startAt;
  expect([4999, 5000, 5001, 5010].map(startAt)).toEqual([0, 0, 5001, 5010]);
});

test("messages to a node are cut by the size of their payloads; one that is larger goes alone", () => {
  const sized = (characters: number) => ({
    ...assignmentOf(recordOf(), "", highest),
    payload: "x".repeat(characters),
  });
  const limit = 1 << 19;
  const sizes = (...all: number[]) =>
    bySize(all.map(sized)).map((message) => message.map(({ payload }) => payload.length));
  expect(sizes()).toEqual([]);
  expect(sizes(limit / 2, limit / 2, 1)).toEqual([[limit / 2, limit / 2], [1]]);
  expect(sizes(1, limit + 1, 1, 2)).toEqual([[1], [limit + 1], [1, 2]]);
});
