import { toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { exactText } from "../../../src/core/json/exact-numbers.ts";
import { PutJobSetRequestSchema } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { defineJobs } from "../../../src/jobs/define-jobs.ts";
import { besideHandlers } from "../../../src/jobs/handlers-module.ts";
import type { ScheduleOptions } from "../../../src/jobs/schedules.ts";
import { readSchedules, type SetSettings } from "../../../src/schedules/read-schedules.ts";

const SETTINGS: SetSettings = { generation: null, missing: "delete", limits: { maxPayloadBytes: 1000 } };
const HANDLERS = { report: () => 1, mail: () => 2 };

/** As the threads hand them over. */
function read(options: ScheduleOptions, settings: Partial<SetSettings> = {}, hasRunJob = false) {
  const schedules = exactText(besideHandlers(defineJobs(HANDLERS, options)).schedules) ?? null;
  const module = { schedules, handlers: ["echo", ...Object.keys(HANDLERS)], hasRunJob };
  return readSchedules("HANDLERS: /app/jobs.ts", module, { ...SETTINGS, ...settings });
}

function refusal(schedule: object): string {
  try {
    read({ schedules: { nightly: schedule as never } });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
}

const NIGHTLY = { handler: "report", cron: "0 3 * * *", timeZone: "Europe/Berlin" };

test("a module without schedules has none, and its handlers are what they were", () => {
  const jobs = defineJobs(HANDLERS);
  expect(jobs).toBe(HANDLERS);
  expect(besideHandlers(jobs).schedules).toBeNull();
  const module = { schedules: null, handlers: [], hasRunJob: false };
  expect(readSchedules("HANDLERS: /app/jobs.ts", module, SETTINGS)).toBeNull();
  const withSome = defineJobs(HANDLERS, { schedules: { nightly: NIGHTLY } });
  expect(withSome).toEqual(HANDLERS);
  expect(Object.keys(withSome)).toEqual(["report", "mail"]);
});

test("each way to say when, and every field, becomes what the API takes", () => {
  const request = read({
    set: "billing",
    schedules: {
      nightly: NIGHTLY,
      morning: { handler: "mail", daily: "08:30", timeZone: "Asia/Tokyo", gap: "skip", fold: "both" },
      often: {
        handler: "echo",
        every: "1h30m",
        anchor: new Date("2026-01-01T00:00:00Z"),
        name: "quite often",
        payload: { id: 3889108265204450030n },
        startAt: "2026-02-01T00:00:00Z",
        endAt: "2027-01-01T00:00:00Z",
        maxOccurrences: 5,
        jitter: "5m",
        misfire: "all",
        overlap: "skip",
        deadline: "1h",
        priority: 0,
        timeout: "90s",
        retry: { maxAttempts: 3, initialBackoff: "500ms" },
        requirements: { slots: 2, labels: { gpu: "true" } },
      },
    },
  });
  const json = toJson(PutJobSetRequestSchema, request as NonNullable<typeof request>);
  const allowUnknownHandler = true;
  expect(json).toEqual({
    set: "billing",
    jobs: [
      {
        name: "nightly",
        job: {
          name: "nightly",
          handler: "report",
          cron: { expression: "0 3 * * *", timeZone: "Europe/Berlin" },
          allowUnknownHandler,
        },
      },
      {
        name: "morning",
        job: {
          name: "morning",
          handler: "mail",
          daily: { at: "08:30", timeZone: "Asia/Tokyo", gap: "GAP_SKIP", fold: "FOLD_BOTH" },
          allowUnknownHandler,
        },
      },
      {
        name: "often",
        job: {
          name: "quite often",
          handler: "echo",
          interval: { every: "5400s", anchor: "2026-01-01T00:00:00Z" },
          payloadJson: '{"id":3889108265204450030}',
          startAt: "2026-02-01T00:00:00Z",
          endAt: "2027-01-01T00:00:00Z",
          maxOccurrences: 5,
          jitter: "300s",
          misfire: "MISFIRE_ALL",
          overlap: "OVERLAP_SKIP",
          deadline: "3600s",
          timeout: "90s",
          retry: { maxAttempts: 3, initialBackoff: "0.500s" },
          requirements: { slots: 2, labels: { gpu: "true" } },
          allowUnknownHandler,
        },
      },
    ],
  });
});

test("set, generation and what is missing come from the module, else from the settings", () => {
  const schedules = { nightly: NIGHTLY };
  expect(read({ schedules })).toMatchObject({ set: "default", keepMissing: false });
  expect(read({ schedules })?.generation).toBeUndefined();
  expect(read({ schedules }, { generation: 7, missing: "keep" })).toMatchObject({
    generation: 7n,
    keepMissing: true,
  });
  expect(read({ schedules, generation: 9 }, { generation: 7 })?.generation).toBe(9n);
  // A module that has dropped its last one says so.
  expect(read({ schedules: {} })).toMatchObject({ jobs: [] });
});

test("a schedule that has come to its end keeps no node from starting", () => {
  const over = { ...NIGHTLY, startAt: "2020-01-01T00:00:00Z", endAt: "2020-02-01T00:00:00Z" };
  expect(read({ schedules: { over } })?.jobs).toHaveLength(1);
});

describe("is refused in one line, with the file, the schedule and the field", () => {
  test.each<[string, object, RegExp]>([
    ["a bad expression", { ...NIGHTLY, cron: "0 25 * * *" }, /nightly\.cron: hour \(field 2 of 5\) "25" /],
    ["a zone that is none", { ...NIGHTLY, timeZone: "Berlin" }, /nightly\.timeZone: "Berlin" is not a known/],
    [
      "a bad time of day",
      { handler: "mail", daily: "25:00" },
      /nightly\.daily: "25:00" is not a time of day/,
    ],
    [
      "an interval that is too short",
      { handler: "mail", every: "10ms" },
      /nightly\.every: is 0\.01s; 1s up to/,
    ],
    ["an interval that is none", { handler: "mail", every: "often" }, /nightly\.every: .*"often"/],
    ["an anchor that is none", { handler: "mail", every: "1h", anchor: "soon" }, /nightly\.anchor: .*"soon"/],
    ["no time", { handler: "mail" }, /nightly\.cron: is missing; one of cron, daily, every is accepted/],
    ["two times", { ...NIGHTLY, every: "1h" }, /nightly\.cron: is given beside every; one of/],
    ["what goes with another time", { ...NIGHTLY, fold: "both" }, /nightly\.fold: does not go with cron/],
    [
      "a handler that is not there",
      { ...NIGHTLY, handler: "reprot" },
      /handler: "reprot" is no handler of this module \(it has echo, report, mail\); did you mean "report"\?/,
    ],
    ["no handler", { cron: "0 3 * * *" }, /nightly\.handler: is required/],
    [
      "a field that is none",
      { ...NIGHTLY, timezone: "UTC" },
      /nightly\.timezone: is no field of a schedule \(did you mean timeZone\?\)/,
    ],
    ["a key", { ...NIGHTLY, idempotencyKey: "k" }, /nightly\.idempotencyKey: is no field of a schedule/],
    ["a word that is none", { ...NIGHTLY, misfire: "never" }, /nightly\.misfire: .*MISFIRE_NEVER/],
    ["a number out of range", { ...NIGHTLY, priority: 500 }, /nightly\.priority: is 500/],
    [
      "an end before its beginning",
      { ...NIGHTLY, startAt: "2030-01-01T00:00:00Z", endAt: "2029-01-01T00:00:00Z" },
      /nightly\.startAt: .* is after endAt/,
    ],
    [
      "a payload that is too large",
      { ...NIGHTLY, payload: "x".repeat(1001) },
      /nightly\.payload: is 1003 bytes/,
    ],
  ])("%s", (_, schedule, message) => {
    const said = refusal(schedule);
    expect(said).toMatch(/^HANDLERS: \/app\/jobs\.ts: schedules\.nightly\./);
    expect(said).toMatch(message);
    expect(said).not.toContain("\n");
  });

  test("more schedules than a set has room for, and no more problems than a person reads", () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`s${index}`, NIGHTLY]));
    expect(() => read({ schedules: many })).toThrow("schedules: has 1001; up to 1,000 are accepted");
    const wrong = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`s${index}`, { ...NIGHTLY, cron: "x" }]),
    );
    expect(() => read({ schedules: wrong })).toThrow(/schedules\.s4\.cron: .*; schedules: 15 more problems$/);
  });
});

test("a module with runJob takes any handler's name", () => {
  expect(read({ schedules: { any: { ...NIGHTLY, handler: "whatever" } } }, {}, true)?.jobs).toHaveLength(1);
});

test("defineJobs refuses what is no set of schedules", () => {
  const define = (options: object) => () => defineJobs(HANDLERS, options as ScheduleOptions);
  expect(define({ schedules: [] })).toThrow(
    "defineJobs: schedules: is no object of schedules by their names",
  );
  expect(define({})).toThrow("defineJobs: schedules: is no object");
  expect(define({ schedules: { nightly: "0 3 * * *" } })).toThrow("schedules: nightly is no schedule");
  expect(define({ schedules: { "a b": NIGHTLY } })).toThrow('schedules: "a b" is no name of a job');
  expect(define({ schedules: {}, set: "a/b" })).toThrow(`defineJobs: set: "a/b" is no set's name`);
  expect(define({ schedules: {}, generation: 1.5 })).toThrow(
    "defineJobs: generation: is 1.5; a whole number",
  );
});
