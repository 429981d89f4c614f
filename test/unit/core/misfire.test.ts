import { describe, expect, test } from "vitest";
import { decideDue } from "../../../src/core/misfire.ts";
import { EVERY_MINUTE, NOW, recordOf, specOf } from "./job-fixture.ts";

const MINUTE = 60_000;
const everyMinute = (fields = {}) => specOf({ schedule: EVERY_MINUTE, ...fields });
const run = { kind: "run" };

describe("an occurrence that is due", () => {
  test("runs, of a job that runs once, however late it is", () => {
    expect(decideDue(recordOf(), NOW + 86_400_000)).toEqual(run);
  });

  test("runs in time, of a recurring job", () => {
    expect(decideDue(recordOf({ spec: everyMinute() }), NOW + 59_000)).toEqual(run);
  });

  test("belongs to a try that has begun: it is retried, whatever is due by now", () => {
    expect(decideDue(recordOf({ spec: everyMinute(), attempt: 1 }), NOW + 10 * MINUTE)).toEqual(run);
  });
});

describe("missed occurrences", () => {
  test("are skipped but for the last, which runs (once)", () => {
    expect(decideDue(recordOf({ spec: everyMinute() }), NOW + 5 * MINUTE + 1)).toEqual({
      kind: "skip",
      reason: "misfire",
      from: NOW,
      through: NOW + 4 * MINUTE,
      count: 5,
    });
    expect(
      decideDue(recordOf({ spec: everyMinute(), scheduledAt: NOW + 5 * MINUTE }), NOW + 5 * MINUTE + 1),
    ).toEqual(run);
  });

  test("run one after another (all)", () => {
    expect(decideDue(recordOf({ spec: everyMinute({ misfire: "all" }) }), NOW + 5 * MINUTE)).toEqual(run);
  });

  test("are skipped, the one that is still in time runs (skip)", () => {
    const spec = everyMinute({ misfire: "skip" });
    expect(decideDue(recordOf({ spec }), NOW + 5 * MINUTE + 1)).toMatchObject({
      count: 5,
      reason: "misfire",
    });
    const daily = specOf({
      misfire: "skip",
      schedule: { kind: "cron", expression: "0 12 * * *", timeZone: "UTC" },
    });
    expect(decideDue(recordOf({ spec: daily }), NOW + 61_000)).toMatchObject({ through: NOW, count: 1 });
    expect(decideDue(recordOf({ spec: daily }), NOW + 60_000)).toEqual(run);
  });

  test("of a long downtime are looked at a bounded number at a time", () => {
    const decision = decideDue(recordOf({ spec: everyMinute() }), NOW + 365 * 86_400_000);
    expect(decision).toMatchObject({ kind: "skip", from: NOW, count: 4999 });
  });
});

describe("occurrences that fell due while the one before ran", () => {
  const ran = { claim: 1, endedAt: NOW + 3 * MINUTE + 1 };

  test("wait: the last of them runs, the others are skipped", () => {
    expect(decideDue(recordOf({ spec: everyMinute(), ...ran }), NOW + 3 * MINUTE + 2)).toEqual({
      kind: "skip",
      reason: "overlap",
      from: NOW,
      through: NOW + 2 * MINUTE,
      count: 3,
    });
    const last = recordOf({ spec: everyMinute(), ...ran, scheduledAt: NOW + 3 * MINUTE });
    expect(decideDue(last, NOW + 3 * MINUTE + 2)).toEqual(run);
  });

  test("one alone waits, and is not missed however long the other ran", () => {
    const spec = specOf({
      schedule: { kind: "cron", expression: "0 12 * * *", timeZone: "UTC" },
      misfire: "skip",
    });
    expect(decideDue(recordOf({ spec, claim: 1, endedAt: NOW + 3_600_000 }), NOW + 3_600_001)).toEqual(run);
  });

  test("are all skipped (skip)", () => {
    expect(
      decideDue(recordOf({ spec: everyMinute({ overlap: "skip" }), ...ran }), NOW + 3 * MINUTE + 2),
    ).toEqual({
      kind: "skip",
      reason: "overlap",
      from: NOW,
      through: NOW + 3 * MINUTE,
      count: 4,
    });
  });

  test("are jobs of their own (allow)", () => {
    expect(decideDue(recordOf({ spec: everyMinute({ overlap: "allow" }) }), NOW + 1)).toEqual({
      kind: "spawn",
      next: { scheduledAt: NOW + MINUTE, at: NOW + MINUTE, isDropped: false },
    });
  });
});

describe("other reasons to skip", () => {
  test("paused: what fell due until the job was resumed", () => {
    const spec = everyMinute({ resumedAt: NOW + 2 * MINUTE + 5, misfire: "all" });
    expect(decideDue(recordOf({ spec }), NOW + 2 * MINUTE + 5)).toEqual({
      kind: "skip",
      reason: "paused",
      from: NOW,
      through: NOW + 2 * MINUTE,
      count: 3,
    });
    expect(decideDue(recordOf({ spec, scheduledAt: NOW + 3 * MINUTE }), NOW + 3 * MINUTE)).toEqual(run);
  });

  test("paused: a job that runs once is not skipped, it would never run", () => {
    expect(decideDue(recordOf({ spec: specOf({ resumedAt: NOW + 1 }) }), NOW + 1)).toEqual(run);
  });

  test("gap: a day on which the clocks jump over the time", () => {
    const at = Date.parse("2026-03-08T07:00:00Z");
    const schedule = {
      kind: "daily",
      secondOfDay: 9000,
      timeZone: "America/New_York",
      gap: "skip",
      fold: "first",
    } as const;
    const record = recordOf({ at, scheduledAt: at, spec: specOf({ schedule }) });
    expect(decideDue(record, at + 1)).toEqual({
      kind: "skip",
      reason: "gap",
      from: at,
      through: at,
      count: 1,
    });
  });

  test("deadline: later than it is worth starting, in every try", () => {
    const spec = specOf({ deadlineMs: 1000 });
    expect(decideDue(recordOf({ spec }), NOW + 1000)).toEqual(run);
    expect(decideDue(recordOf({ spec }), NOW + 1001)).toMatchObject({ kind: "skip", reason: "deadline" });
    expect(decideDue(recordOf({ spec, attempt: 2, at: NOW + 5000 }), NOW + 5000)).toMatchObject({
      reason: "deadline",
    });
  });
});
