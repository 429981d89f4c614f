import { afterEach, expect, test } from "vitest";
import { nextOccurrenceOrDropped } from "../../../../src/core/calendar/schedule.ts";
import type { ZoneRules } from "../../../../src/core/calendar/tzif.ts";
import { useZoneData } from "../../../../src/core/calendar/zone-segment.ts";
import { type JobRecord, NEVER, type Schedule, STORED_STATUS } from "../../../../src/core/job.ts";
import { followsZone, moveOccurrence } from "../../../../src/core/state/move-occurrence.ts";
import { recordOf, specOf } from "../../../fixtures/job-fixture.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2027-01-10T00:00:00Z");
const ZONE = "America/Winnipeg";
const EIGHT: Schedule = {
  kind: "daily",
  secondOfDay: 8 * 3600,
  timeZone: ZONE,
  gap: "run_after",
  fold: "first",
};

afterEach(() => useZoneData(null));

function useOffset(hours: number): void {
  const rules: ZoneRules = { firstOffsetMs: hours * HOUR_MS, changes: [], rule: null, ruleFrom: 0 };
  useZoneData({ version: "x", rules: () => rules });
}

function waiting(schedule: Schedule, scheduledAt: number, more: Partial<JobRecord> = {}): JobRecord {
  return recordOf({
    status: STORED_STATUS.WAITING,
    spec: specOf({ schedule }),
    scheduledAt,
    at: scheduledAt,
    ...more,
  });
}

test("an occurrence goes to the same local time by the new rules, to either side, and stays there", () => {
  const at = Date.parse("2027-01-11T14:00:00Z");
  useOffset(-6);
  expect(moveOccurrence(waiting(EIGHT, at), NOW)).toBeNull();
  for (const hours of [-5, -7]) {
    useOffset(hours);
    const after = moveOccurrence(waiting(EIGHT, at), NOW);
    const scheduledAt = at - (hours + 6) * HOUR_MS;
    expect(after).toMatchObject({ scheduledAt, at: scheduledAt });
    // Again changes nothing, so that it can be begun anew after a crash.
    expect(after && moveOccurrence(after, NOW)).toBeNull();
  }
});

test("today's run that is over is not run again, and one that is late by the new rules is not left out", () => {
  useOffset(-7);
  const done = Date.parse("2027-01-10T14:00:00Z");
  // It ran at 08:00 by the old rules, an hour too early by the new ones; the next one is tomorrow's.
  const tomorrow = moveOccurrence(waiting(EIGHT, done + 24 * HOUR_MS), done + HOUR_MS / 2);
  expect(tomorrow?.scheduledAt).toBe(done + 25 * HOUR_MS);
  useOffset(-5);
  const late = moveOccurrence(waiting(EIGHT, done), done - HOUR_MS / 2);
  expect(late?.scheduledAt).toBe(done - HOUR_MS);
});

test("what is due, tried, running or of no zone stays as it is", () => {
  useOffset(-7);
  const at = NOW + 14 * HOUR_MS;
  expect(moveOccurrence(waiting(EIGHT, at), at)).toBeNull();
  expect(moveOccurrence(waiting(EIGHT, at, { attempt: 1 }), NOW)).toBeNull();
  expect(moveOccurrence(waiting(EIGHT, at, { status: STORED_STATUS.RUNNING }), NOW)).toBeNull();
  expect(moveOccurrence(waiting({ kind: "timed", runAt: at }, at), NOW)).toBeNull();
  expect(followsZone(waiting({ ...EIGHT, timeZone: "UTC" } as Schedule, at))).toBe(false);
  expect(followsZone(waiting(EIGHT, at))).toBe(true);
  const paused = moveOccurrence(waiting(EIGHT, at, { status: STORED_STATUS.PAUSED, at: NEVER }), NOW);
  expect(paused).toMatchObject({ scheduledAt: at + HOUR_MS, at: NEVER });
});

test("the last of a number of occurrences moves too, so that none is missing", () => {
  useOffset(-6);
  const first = nextOccurrenceOrDropped(EIGHT as never, NOW)?.time ?? 0;
  const lastAt = first + 48 * HOUR_MS;
  const spec = specOf({ schedule: EIGHT, bounds: { startAt: null, endAt: null, maxOccurrences: 3, lastAt } });
  useOffset(-7);
  const moved = moveOccurrence(waiting(EIGHT, first, { spec }), NOW);
  expect(moved?.spec.bounds.lastAt).toBe(lastAt + HOUR_MS);
  const ends = specOf({
    schedule: EIGHT,
    bounds: { startAt: null, endAt: first, maxOccurrences: null, lastAt: first },
  });
  expect(moveOccurrence(waiting(EIGHT, first, { spec: ends }), NOW)).toBeNull();
});

test("one that falls before its job begins gives way to the first that does not; the last one of a job that would fall after its end stays", () => {
  const at = Date.parse("2027-01-11T14:00:00Z");
  const bounds = { startAt: at - HOUR_MS / 2, endAt: null, maxOccurrences: null, lastAt: null };
  useOffset(-5);
  const before = waiting(EIGHT, at, { spec: specOf({ schedule: EIGHT, bounds }) });
  const after = moveOccurrence(before, NOW);
  expect(after).toMatchObject({ scheduledAt: at + 23 * HOUR_MS, at: at + 23 * HOUR_MS });
  expect(after && moveOccurrence(after, NOW)).toBeNull();
  useOffset(-7);
  const ends = { startAt: null, endAt: at + HOUR_MS / 2, maxOccurrences: null, lastAt: at + HOUR_MS / 2 };
  expect(
    moveOccurrence(waiting(EIGHT, at, { spec: specOf({ schedule: EIGHT, bounds: ends }) }), NOW),
  ).toBeNull();
});
