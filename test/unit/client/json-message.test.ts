import { Code, type ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Templates } from "../../../src/client/encode-table.ts";
import type { AddJobInput } from "../../../src/client/job-json.ts";
import { fromInput, inputText } from "../../../src/client/json-message.ts";
import {
  CancelJobRequestSchema,
  PreviewScheduleRequestSchema,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";

describe("the client refuses a time that does not exist, by its field", () => {
  const add = (job: object) => new Templates().tableJob({ handler: "echo", ...job });

  test("in a job", () => {
    expect(() => add({ timed: { runAt: "2027-02-30T00:00:00Z" } })).toThrow(
      'timed.runAt: is "2027-02-30T00:00:00Z", a day that does not exist: 2027-02 has 28; an RFC 3339 time',
    );
    expect(() => add({ daily: { at: "08:00" }, startAt: "2027-01-01T24:00:00Z" })).toThrow("startAt: is ");
    expect(() => add({ timeout: "5seconds" })).toThrow('timeout: is "5seconds"; a duration, such as');
    expect(add({ payload: { at: "2027-02-30T00:00:00Z" }, name: "2027-02-30" }).payload).toContain(
      "2027-02-30",
    );
  });

  test("in other requests", () => {
    const preview = JSON.stringify({ after: "2027-02-29T00:00:00Z" });
    expect(() => fromInput(PreviewScheduleRequestSchema, preview)).toThrow("after: is ");
    const cancel = JSON.stringify({ jobId: "1", scheduledAt: "2027-04-31T00:00:00Z" });
    expect(() => fromInput(CancelJobRequestSchema, cancel)).toThrow("scheduledAt: is ");
  });

  test("an invalid Date is not left out in silence", () => {
    expect(() => add({ timed: { runAt: new Date(Number.NaN) } })).toThrow("runAt: is an invalid Date");
    expect(() => inputText({ jobId: "1", scheduledAt: new Date("x") })).toThrow(
      "scheduledAt: is an invalid Date",
    );
    expect(inputText({ job: { payload: new Date("x") }, revision: null })).toBe(
      '{"job":{"payload":null},"revision":null}',
    );
  });
});

test("the client refuses a key of any length shortly", () => {
  const json = JSON.stringify({ ["x".repeat(1_000_000)]: 1 });
  let said = "";
  try {
    fromInput(CancelJobRequestSchema, json);
  } catch (error) {
    said = String(error);
  }
  expect(said).toMatch(/xxx…: is not known; jobId and scheduledAt are accepted$/);
  expect(said.length).toBeLessThan(600);
});

/** TypeScript's library does not know it yet. */
const { rawJSON: rawJson } = JSON as JSON & { rawJSON(text: string): unknown };

describe("the client refuses what the server would refuse, in the same words", () => {
  const TIME = 'an RFC 3339 time, such as "2026-12-01T08:00:00Z", is accepted';
  const DURATION = 'a duration, such as "5s", "0.25s", "3m" or "1h30m", is accepted';

  test.each([
    [{ priority: 1.5 }, "priority: is 1.5; a whole number from -100 to 100 is accepted"],
    [{ timeout: "x" }, `timeout: is "x"; ${DURATION}`],
    [{ misfire: "X" }, 'misfire: is "X"; MISFIRE_ONCE, MISFIRE_SKIP and MISFIRE_ALL are accepted'],
    [{ timed: { runAt: "2027-01-01" } }, `timed.runAt: is "2027-01-01"; ${TIME}`],
    [
      { timed: { runAt: "2027-01-01T00:00:00z" } },
      `timed.runAt: is "2027-01-01T00:00:00z", with a small t or z, which have to be capitals; ${TIME}`,
    ],
    [{ timed: { runAt: 1_800_000_000_000 } }, `timed.runAt: is 1800000000000; ${TIME}`],
    [{ timed: { runAt: new Date(8e15) } }, `timed.runAt: is "+255479-11-28T14:13:20.000Z"; ${TIME}`],
    [{ handler: 5, slots: 1 }, /^handler: is 5; a string is accepted; slots: is not known; name, handler, /],
    [
      { timed: { delay: "5s" }, cron: { expression: "* * * * *" } },
      /^cron: does not go with timed; at most one/,
    ],
    [
      { retry: { multiplier: rawJson("1e400") } },
      "retry.multiplier: is a number that no double holds; a number from 1 to 100 is accepted",
    ],
    [{ priority: Number.NaN }, "priority: is NaN; a number that JSON has is accepted"],
  ])("%j", (fields, refusal) => {
    let said: unknown = "it was taken";
    try {
      new Templates().tableJob({ handler: "echo", ...fields } as AddJobInput);
    } catch (error) {
      said = error;
    }
    expect(said).toMatchObject({ code: Code.InvalidArgument });
    const { rawMessage } = said as ConnectError;
    if (typeof refusal === "string") expect(rawMessage).toBe(refusal);
    else expect(rawMessage).toMatch(refusal);
  });

  test.each([undefined, null, 5, [{}]])("no object at all: %j", (job) => {
    const add = () => new Templates().tableJob(job as unknown as AddJobInput);
    expect(add).toThrow(`the request: is ${JSON.stringify(job)}; a JSON object is accepted`);
  });
});
