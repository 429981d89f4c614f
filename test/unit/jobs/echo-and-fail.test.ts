import { describe, expect, test } from "vitest";
import type { HandlerContext, HandlerJob } from "../../../src/jobs/define-jobs.ts";
import { PermanentError } from "../../../src/jobs/define-jobs.ts";
import { echo } from "../../../src/jobs/echo.ts";
import { fail } from "../../../src/jobs/fail.ts";

const job = (payload: unknown) => ({ payload }) as HandlerJob;
const attempt = (number: number) => ({ attempt: number }) as HandlerContext;

test("echo returns its payload, digit by digit", () => {
  const payloadText = '{"id":3889108265204450030,"of":[-0,1e-400,"1"]}';
  const output = echo({ ...job(JSON.parse(payloadText)), payloadText });
  expect(JSON.stringify(output)).toBe(payloadText);

  expect(echo(job({ any: ["JSON"] }))).toEqual({ any: ["JSON"] });
  expect(echo(job(null))).toBeNull();
});

describe("fail", () => {
  test("fails every attempt, or as many as it is told", () => {
    expect(() => fail(job(null), attempt(100))).toThrow("failed as asked (attempt 100)");
    expect(() => fail(job({ times: 2, message: "no" }), attempt(2))).toThrow("no (attempt 2)");
    expect(fail(job({ times: 2 }), attempt(3))).toEqual({ attempt: 3 });
  });

  test("fails for good when it is told", () => {
    expect(() => fail(job({ permanent: true }), attempt(1))).toThrow(PermanentError);
  });

  const TIMES = "a whole number of attempts from 0 to 2147483647 is accepted";
  test.each<[unknown, string]>([
    [{ permanent: "x" }, 'payload.permanent: is "x"; true or false is accepted'],
    [{ times: -1 }, `payload.times: is -1; ${TIMES}`],
    [{ times: "2" }, `payload.times: is "2"; ${TIMES}`],
    [{ times: null }, `payload.times: is null; ${TIMES}`],
    [{ message: 5 }, "payload.message: is 5; text is accepted"],
    [{ time: 2 }, "payload.time: is not known; times, permanent and message are accepted"],
    ["twice", 'payload: is "twice"; an object with times, permanent and message is accepted'],
    [[1], "payload: is [1]; an object with times, permanent and message is accepted"],
    [
      { times: -1, permanent: 1 },
      `payload.times: is -1; ${TIMES}; payload.permanent: is 1; true or false is accepted`,
    ],
  ])("is refused for good what it cannot be told: %j", (payload, message) => {
    let error: unknown = null;
    try {
      fail(job(payload), attempt(1));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toHaveProperty("message", message);
  });
});
