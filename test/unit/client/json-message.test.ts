import { describe, expect, test } from "vitest";
import { Templates } from "../../../src/client/encode-table.ts";
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
  expect(said).toContain('key "xxx');
  expect(said.length).toBeLessThan(600);
});
