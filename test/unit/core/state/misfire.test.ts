import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TimesOfDay } from "../../../../src/core/calendar/times-of-day.ts";
import { NO_BOUNDS } from "../../../../src/core/job.ts";
import { decideDue, dueAt, isToBeMadeUpFor } from "../../../../src/core/state/misfire.ts";
import { EVERY_MINUTE, NOW, recordOf, specOf } from "../../../fixtures/job-fixture.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
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

  test("are made up for by the last, however late that is (once)", () => {
    const spec = specOf({ schedule: { kind: "cron", expression: "0 12 * * *", timeZone: "UTC" } });
    expect(decideDue(recordOf({ spec }), NOW + 3_600_000)).toEqual(run);
  });

  test.each([
    ["misfire", {}, { at: NOW }],
    ["misfire", { misfire: "skip" }, { at: NOW }],
    ["paused", { resumedAt: NOW + 365 * DAY }, { at: NOW }],
    ["overlap", {}, { claim: 1, endedAt: NOW + 365 * DAY }],
    ["deadline", { misfire: "all", deadlineMs: 60_000 }, { at: NOW }],
  ] as const)("of a whole year are one decision: %s, %o", (reason, fields, state) => {
    const schedule = { kind: "cron", expression: "* * * * * *", timeZone: "Europe/Berlin" } as const;
    const record = recordOf({ spec: specOf({ schedule, ...fields }), ...state });
    const looks = vi.spyOn(TimesOfDay.prototype, "countBefore");
    onTestFinished(() => looks.mockRestore());
    const decision = decideDue(record, NOW + 365 * DAY);
    // A few for each day; the year has 31,536,000 seconds.
    expect(looks.mock.calls.length).toBeLessThanOrEqual(5 * 365);
    if (decision.kind !== "skip") throw new Error("not skipped");
    expect(decision).toMatchObject({ reason, from: NOW });
    expect(decision.count).toBeGreaterThan(31_535_000);
    expect(decision.through).toBe(NOW + (decision.count - 1) * 1000);
    const next = decideDue({ ...record, scheduledAt: decision.through + 1000 }, NOW + 365 * DAY);
    expect(next.kind === "skip" ? next.reason : "none").not.toBe(reason);
  });

  test("of more than ten years are looked at ten years at a time", () => {
    const record = recordOf({ spec: everyMinute() });
    const decision = decideDue(record, NOW + 12 * 366 * DAY);
    if (decision.kind !== "skip") throw new Error("not skipped");
    expect(decision.count).toBeGreaterThan(10 * 365 * 1440);
    const rest = decideDue({ ...record, scheduledAt: decision.through + MINUTE }, NOW + 12 * 366 * DAY);
    expect(rest).toMatchObject({ kind: "skip", through: NOW + 12 * 366 * DAY - MINUTE });
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

  test("are made up for (all), where they had been missed before the other one began", () => {
    const spec = everyMinute({ overlap: "skip", misfire: "all" });
    const record = recordOf({ spec, ...ran });
    const decision = decideDue(record, NOW + 3 * MINUTE + 2);
    if (decision.kind !== "skip") throw new Error("not skipped");
    expect(isToBeMadeUpFor(record, decision, { startTime: NOW + 1 })).toBe(true);
    expect(isToBeMadeUpFor(record, decision, { startTime: NOW })).toBe(true);
    expect(isToBeMadeUpFor(record, decision, { startTime: NOW - 1 })).toBe(false);
    expect(isToBeMadeUpFor(record, decision, null)).toBe(false);
    // For no other reason than that.
    expect(isToBeMadeUpFor(record, { ...decision, reason: "paused" }, { startTime: NOW + 1 })).toBe(false);
    const once = recordOf({ spec: everyMinute({ overlap: "skip" }), ...ran });
    expect(isToBeMadeUpFor(once, decision, { startTime: NOW + 1 })).toBe(false);
  });

  test("have fallen due then by their jitter, not by their time", () => {
    const spec = everyMinute({ overlap: "skip", jitterMs: 30_000 });
    const at = dueAt(recordOf({ spec }));
    expect(at).toBeGreaterThan(NOW + 1);
    expect(decideDue(recordOf({ spec, at, claim: 1, endedAt: at }), at)).toEqual(run);
    expect(decideDue(recordOf({ spec, at, claim: 1, endedAt: at + 1 }), at + 1)).toMatchObject({
      reason: "overlap",
      count: 1,
    });
  });

  test("are missed, not overlapping, where they may run beside it (allow)", () => {
    const spec = everyMinute({ overlap: "allow", misfire: "skip" });
    expect(decideDue(recordOf({ spec, ...ran }), NOW + 3 * MINUTE + 2)).toMatchObject({
      reason: "misfire",
      count: 3,
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
    // The day before, and a time that the schedule does not name.
    const dayBefore = at - DAY + 1_800_000;
    for (const other of [dayBefore, at - 1_000]) {
      expect(decideDue({ ...record, at: other, scheduledAt: other }, other + 1)).toEqual(run);
    }
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

describe("at the very boundaries", () => {
  test("what fell due at the moment of the resume fell due while the job was paused", () => {
    const resumed = (resumedAt: number) =>
      decideDue(recordOf({ spec: everyMinute({ resumedAt }) }), NOW + 1000);
    expect(resumed(NOW)).toMatchObject({ reason: "paused", count: 1 });
    expect(resumed(NOW - 1)).toEqual(run);
  });

  test("what was missed waits for the one before it when all are to run, one after another", () => {
    const spec = everyMinute({ overlap: "wait", misfire: "all" });
    const record = recordOf({ spec, claim: 1, endedAt: NOW + 5 * MINUTE });
    expect(decideDue(record, NOW + 6 * MINUTE)).toEqual(run);
  });

  test("the last occurrence that there is runs while it is in time", () => {
    const bounds = { startAt: null, endAt: NOW + 1, lastAt: NOW };
    const spec = everyMinute({ misfire: "skip", bounds: { ...NO_BOUNDS, ...bounds } });
    expect(decideDue(recordOf({ spec }), NOW + 1000)).toEqual(run);
  });

  test("a long row of missed ones is counted to the one that falls due right now", () => {
    expect(decideDue(recordOf({ spec: everyMinute() }), NOW + 101 * MINUTE)).toMatchObject({
      through: NOW + 100 * MINUTE,
      count: 101,
    });
    expect(decideDue(recordOf({ spec: everyMinute() }), NOW + 102 * MINUTE)).toMatchObject({
      through: NOW + 101 * MINUTE,
      count: 102,
    });
  });

  test("an occurrence that its schedule does not name was due at its time", () => {
    expect(dueAt(recordOf({ spec: everyMinute(), scheduledAt: NOW + 30_000 }))).toBe(NOW + 30_000);
  });

  test("in a zone that is not known here was due at its time, jitter or not", () => {
    const schedule = { ...EVERY_MINUTE, timeZone: "Europe/Newtown" };
    const spec = specOf({ schedule, jitterMs: 5_000 });
    expect(dueAt(recordOf({ spec, scheduledAt: NOW }))).toBe(NOW);
    expect(() => decideDue(recordOf({ spec: specOf({ schedule }) }), NOW + 5 * MINUTE)).toThrow(
      /Europe\/Newtown/,
    );
  });
});
