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
});
