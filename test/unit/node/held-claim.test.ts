import { describe, expect, test } from "vitest";
import { ClusterTime } from "../../../src/core/cluster-time.ts";
import { OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import { claimEnd, executionOf, type HeldClaim } from "../../../src/node/held-claim.ts";
import { assignmentOf } from "../../fixtures/assignment-fixture.ts";
import { NOW } from "../../fixtures/job-fixture.ts";
import { ManualClock } from "../../fixtures/manual-clock.ts";

function held(fields: Partial<HeldClaim["assignment"]> = {}): HeldClaim {
  return {
    assignment: { ...assignmentOf(), ...fields },
    nodeNumber: 7,
    epoch: 3,
    time: new ClusterTime(new ManualClock(), NOW),
    arrivedAt: 0,
    startTime: NOW,
    state: "running",
    execution: null,
    handedBack: null,
    log: null,
    progress: null,
  };
}

describe("a claim that ends as LOST", () => {
  const lost = (isBlameless: boolean) => ({ kind: "lost", reason: "its thread ended", isBlameless }) as const;

  test("is retried at once when its job is not to blame, however often it was lost", () => {
    const { row } = claimEnd(held({ lost: 9 }), lost(true), NOW + 5, 10);
    expect(row).toMatchObject({ outcome: OUTCOME.LOST, retryAt: NOW + 5 });
    expect(row.reason).toBe("handed back: its thread ended");
  });

  test("is not retried when its job may be to blame, and has been lost too often", () => {
    const { row } = claimEnd(held({ lost: 9 }), lost(false), NOW + 5, 10);
    expect(row).toMatchObject({ outcome: OUTCOME.LOST, retryAt: null, reason: "its thread ended" });
  });
});

describe("a job after its claim's row", () => {
  const succeeded = { kind: "succeeded", output: null } as const;

  test("goes on with its next occurrence", () => {
    const one = held({ nextScheduledAt: NOW + 60_000, nextDueAt: NOW + 61_000 });
    expect(claimEnd(one, succeeded, NOW + 5, 10).state).toMatchObject({
      status: STORED_STATUS.WAITING,
      scheduledAt: NOW + 60_000,
      at: NOW + 61_000,
    });
  });

  test("has ended when there is none", () => {
    const one = held({ nextScheduledAt: null });
    expect(claimEnd(one, succeeded, NOW + 5, 10).state.status).toBe(STORED_STATUS.SUCCEEDED);
  });
});

describe("what its handler is to run", () => {
  test.each([
    [0, null, null],
    [1, 1, NOW + 1],
    [5000, 5000, NOW + 5000],
  ])("has a deadline if it has a time limit of %i ms", (timeoutMs, limit, deadline) => {
    expect(executionOf(held({ timeoutMs }))).toMatchObject({ timeoutMs: limit, deadline });
  });

  test.each([
    [0, false],
    [1, false],
    [2, true],
    [3, true],
  ])("gets a thread of its own after %i losses in a row: %s", (lost, alone) => {
    expect(executionOf(held({ lost })).alone).toBe(alone);
  });
});
