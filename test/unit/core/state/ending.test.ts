import { describe, expect, test } from "vitest";
import { farEnd, OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import {
  HANDED_BACK,
  lostDelayMs,
  project,
  retryAfterFailure,
  retryAfterLoss,
} from "../../../../src/core/state/ending.ts";
import { NOW } from "../../../fixtures/job-fixture.ts";

const claimed = { scheduledAt: NOW, attempt: 3, failures: 2, lost: 1, endedAt: NOW - 5 };
const next = { scheduledAt: NOW + 60_000, at: NOW + 61_000 };
const row = (outcome: (typeof OUTCOME)[keyof typeof OUTCOME], fields = {}) => ({
  outcome,
  retryAt: null,
  reason: "",
  endTime: NOW + 10,
  node: 4,
  ...fields,
});

describe("the job after the final row of its claim", () => {
  test("has ended, as the outcome says, when there is no next occurrence", () => {
    const ended = { at: farEnd(NOW + 10), scheduledAt: NOW, attempt: 3, endedAt: NOW + 10 };
    const { SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;
    expect(project(claimed, row(OUTCOME.SUCCEEDED), null)).toEqual({
      ...ended,
      status: SUCCEEDED,
      failures: 2,
      lost: 0,
    });
    expect(project(claimed, row(OUTCOME.FAILED), null)).toEqual({
      ...ended,
      status: FAILED,
      failures: 3,
      lost: 0,
    });
    expect(project(claimed, row(OUTCOME.TIMED_OUT), null)).toEqual({
      ...ended,
      status: FAILED,
      failures: 3,
      lost: 0,
    });
    expect(project(claimed, row(OUTCOME.LOST), null)).toEqual({
      ...ended,
      status: FAILED,
      failures: 2,
      lost: 2,
    });
    expect(project(claimed, row(OUTCOME.CANCELLED), null)).toEqual({
      ...ended,
      status: CANCELLED,
      failures: 2,
      lost: 0,
    });
    expect(project(claimed, row(OUTCOME.SKIPPED), null)).toEqual({
      ...ended,
      status: CANCELLED,
      failures: 2,
      lost: 0,
    });
  });

  test("waits for the retry, and counts what failed", () => {
    expect(project(claimed, row(OUTCOME.FAILED, { retryAt: NOW + 500 }), next)).toEqual({
      status: STORED_STATUS.WAITING,
      at: NOW + 500,
      scheduledAt: NOW,
      attempt: 3,
      failures: 3,
      lost: 0,
      endedAt: NOW + 10,
    });
  });

  test("waits for the next occurrence afresh", () => {
    expect(project(claimed, row(OUTCOME.FAILED), next)).toEqual({
      status: STORED_STATUS.WAITING,
      at: next.at,
      scheduledAt: next.scheduledAt,
      attempt: 0,
      failures: 0,
      lost: 0,
      endedAt: NOW + 10,
    });
  });

  test("does not count a loss that was another's fault", () => {
    const lost = row(OUTCOME.LOST, { retryAt: NOW + 10, reason: `${HANDED_BACK}: its node is draining` });
    expect(project(claimed, lost, null).lost).toBe(1);
    expect(project(claimed, { ...lost, reason: "its node is gone" }, null).lost).toBe(2);
  });

  test("counts no try and no loss of a claim for nobody", () => {
    const lost = row(OUTCOME.LOST, { retryAt: NOW + 10, node: 0, reason: "nobody held it" });
    expect(project(claimed, lost, null)).toMatchObject({ attempt: 2, lost: 1 });
  });

  test("remembers when it last ran: a claim for nobody ran nothing", () => {
    expect(project(claimed, row(OUTCOME.SKIPPED, { node: 0 }), next).endedAt).toBe(NOW - 5);
  });
});

describe("a failed try", () => {
  const plan = { next: null, retryDelayMs: 1000, lastRetryAt: null, failures: 0 };

  test("is repeated after the delay", () => {
    expect(retryAfterFailure(plan, NOW, false).at).toBe(NOW + 1000);
  });

  test("is the last one when the error is permanent, or no tries are left", () => {
    expect(retryAfterFailure(plan, NOW, true).at).toBeNull();
    expect(retryAfterFailure({ ...plan, retryDelayMs: null }, NOW, false).at).toBeNull();
  });

  test("gives way to the next occurrence, and to the deadline", () => {
    expect(
      retryAfterFailure({ ...plan, next: { scheduledAt: NOW, at: NOW + 1000 } }, NOW, false).at,
    ).toBeNull();
    expect(retryAfterFailure({ ...plan, next: { scheduledAt: NOW, at: NOW + 1001 } }, NOW, false).at).toBe(
      NOW + 1000,
    );
    expect(retryAfterFailure({ ...plan, lastRetryAt: NOW + 999 }, NOW, false).at).toBeNull();
    expect(retryAfterFailure({ ...plan, lastRetryAt: NOW + 1000 }, NOW, false).at).toBe(NOW + 1000);
  });
});

describe("a lost try", () => {
  test("is repeated at once, from the second loss in a row on after 1 s, 2 s, 4 s … 100 s", () => {
    expect([1, 2, 3, 4, 20].map(lostDelayMs)).toEqual([0, 1000, 2000, 4000, 100_000]);
    expect(retryAfterLoss(0, NOW, 10).at).toBe(NOW);
    expect(retryAfterLoss(1, NOW, 10).at).toBe(NOW + 1000);
  });

  test("is the last one when it was lost too often", () => {
    expect(retryAfterLoss(8, NOW, 10).at).not.toBeNull();
    expect(retryAfterLoss(9, NOW, 10).at).toBeNull();
  });
});
