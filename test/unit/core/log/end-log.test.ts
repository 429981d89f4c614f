import { expect, test } from "vitest";
import { OUTCOME, type ResultRecord } from "../../../../src/core/job.ts";
import { EndLog } from "../../../../src/core/log/end-log.ts";
import { resultOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

function said(row: Partial<ResultRecord>, whyOver = "") {
  const logger = recordingLogger();
  const ends = new EndLog({ logger, clock: new ManualClock() });
  ends.say({ row: resultOf(row), name: "brew", handler: "coffee", node: "n1", epoch: 3, whyOver });
  return logger.lines[0];
}

test.each([
  ["FAILED", OUTCOME.FAILED, 1000, "warn"],
  ["FAILED", OUTCOME.FAILED, null, "error"],
  ["TIMED_OUT", OUTCOME.TIMED_OUT, 1000, "warn"],
  ["TIMED_OUT", OUTCOME.TIMED_OUT, null, "error"],
  ["LOST", OUTCOME.LOST, 1000, "warn"],
  ["LOST", OUTCOME.LOST, null, "error"],
  ["SKIPPED", OUTCOME.SKIPPED, null, "warn"],
  ["CANCELLED", OUTCOME.CANCELLED, null, "info"],
])("%s, tried again at %s, is a line of its level", (name, outcome, retryAt, level) => {
  expect(said({ outcome, retryAt })).toMatchObject({ level, fields: { outcome: name } });
});

test("a success is no line", () => {
  expect(said({ outcome: OUTCOME.SUCCEEDED })).toBeUndefined();
});

test("it says when it is tried again, as an instant, or why it is not", () => {
  const retryAt = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  const again = said({ outcome: OUTCOME.FAILED, retryAt });
  expect(again?.fields).toMatchObject({ retryAt: "2026-01-02T03:04:05.006Z" });
  expect(again?.fields).not.toHaveProperty("notTriedAgain");
  const over = said({ outcome: OUTCOME.FAILED, retryAt: null }, "3 of 3 attempts");
  expect(over?.fields).toMatchObject({ notTriedAgain: "3 of 3 attempts" });
  expect(over?.fields).not.toHaveProperty("retryAt");
});

test("the error is the handler's, or why the claim ended without one, and is short", () => {
  const error = { name: "TypeError", message: "m".repeat(5000) };
  const shown = said({ outcome: OUTCOME.FAILED, error })?.fields["error"];
  expect(shown).toMatch(/^TypeError: m+…$/);
  expect(String(shown).length).toBeLessThan(520);
  expect(said({ outcome: OUTCOME.LOST, reason: "its node is gone" })?.fields["error"]).toBe(
    "its node is gone",
  );
  expect(said({ outcome: OUTCOME.TIMED_OUT })?.fields["error"]).toBe("the attempt has timed out");
});

test("a run of skipped occurrences says how many they were", () => {
  const row = { outcome: OUTCOME.SKIPPED, reason: "misfire", skippedCount: 12 };
  expect(said(row)?.fields).toMatchObject({ error: "misfire", occurrences: 12 });
});
