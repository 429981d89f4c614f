/** What the simulation over years has found: occurrences that the ledger gave a wrong reason, or none. */
import { describe, expect, test } from "vitest";
import { OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import { childSpec } from "../../../../src/core/spec/child-spec.ts";
import { project } from "../../../../src/core/state/ending.ts";
import { decideDue, dueAt } from "../../../../src/core/state/misfire.ts";
import { EVERY_MINUTE, NOW, recordOf, specOf } from "../../../fixtures/job-fixture.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const daily = { kind: "cron", expression: "0 12 * * *", timeZone: "UTC" } as const;

describe("an occurrence with jitter", () => {
  test("is not missed when it is due: what counts is when it was due, not its time", () => {
    const spec = specOf({ schedule: daily, jitterMs: HOUR, misfire: "skip" });
    const record = recordOf({ spec, scheduledAt: Date.UTC(2026, 5, 1, 12) });
    const at = dueAt(record);
    expect(at - record.scheduledAt).toBeGreaterThan(MINUTE);
    expect(decideDue(record, at)).toEqual({ kind: "run" });
    expect(decideDue(record, at + MINUTE + 1)).toMatchObject({ kind: "skip", reason: "misfire" });
  });

  test("hands its deadline to the job that runs it beside its own, from when it was due", () => {
    const spec = specOf({ schedule: daily, jitterMs: HOUR, overlap: "allow", deadlineMs: MINUTE });
    const record = recordOf({ spec, scheduledAt: Date.UTC(2026, 5, 1, 12) });
    const child = childSpec(record.spec, { runAt: record.scheduledAt, dueAt: dueAt(record) });
    expect(record.scheduledAt + (child.deadlineMs ?? 0)).toBe(dueAt(record) + MINUTE);
  });
});

test("occurrences that were missed all run, one after another, though they were due before the first had ended (all)", () => {
  const spec = specOf({ schedule: EVERY_MINUTE, misfire: "all" });
  const later = recordOf({ spec, claim: 1, scheduledAt: NOW + MINUTE, endedAt: NOW + 10 * MINUTE });
  expect(decideDue(later, NOW + 10 * MINUTE)).toEqual({ kind: "run" });
});

describe("a claim for nobody that was cut short", () => {
  const claimed = { scheduledAt: NOW, attempt: 1, failures: 0, lost: 2, endedAt: 5 };
  const row = { outcome: OUTCOME.LOST, retryAt: NOW + 1, reason: "", endTime: NOW + 1, node: 0 };

  test("is no attempt and no loss: the occurrence is judged anew", () => {
    expect(project(claimed, row, null)).toEqual({
      status: STORED_STATUS.WAITING,
      at: NOW + 1,
      scheduledAt: NOW,
      attempt: 0,
      failures: 0,
      lost: 2,
      endedAt: 5,
    });
  });
});
