import { describe, expect, test } from "vitest";
import { parseCron } from "../../../../src/core/calendar/cron.ts";

function errorOf(expression: string): string {
  const parsed = parseCron(expression);
  return "error" in parsed ? parsed.error : "accepted";
}

describe("a cron expression is refused with the reason", () => {
  test.each([
    ["0 0 30 2 *", "never comes"],
    ["0 0 31 4,6,9,11 *", "never comes"],
    [
      "* * * *",
      "has 4 fields; five (minute hour day month weekday) or six (with leading seconds) are accepted",
    ],
    ["* * * * * * *", "has 7 fields"],
    ["", "has 0 fields"],
    ["@daily", "has 1 field;"],
    ["60 * * * *", "its minute is out of range; 0-59 is accepted"],
    ["0 24 * * *", "its hour is out of range; 0-23 is accepted"],
    ["0 0 32 * *", "its day is out of range"],
    ["0 0 * 13 *", "its month is out of range; 1-12 or JAN-DEC is accepted"],
    ["0 0 * * 8", "its dayOfWeek is out of range; 0-7 or SUN-SAT is accepted"],
    ["5-1 * * * *", "From value is larger than to value"],
    ["*/0 * * * *", "illegal stepping"],
    ["every day at five o'clock", "illegal characters"],
    ["* ".repeat(200), "has 400 characters; up to 255 are accepted"],
  ])("%s", (expression, reason) => {
    expect(errorOf(expression)).toContain(reason);
  });
});

test("an expression is parsed once, however many jobs share it", () => {
  expect(parseCron("7 7 * * *")).toBe(parseCron("7 7 * * *"));
});

test("far more expressions than are remembered still give the right answer", () => {
  for (let minute = 0; minute < 1100; minute++)
    parseCron(`${minute % 60} ${minute % 24} ${(minute % 28) + 1} * *`);
  expect(errorOf("7 7 * * *")).toBe("accepted");
});
