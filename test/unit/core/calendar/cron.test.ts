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
    [
      "@reboot",
      "is no macro; one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly is accepted",
    ],
    ["60 * * * *", 'minute (field 1 of 5) "60" is out of range; 0-59 is accepted'],
    ["0 60 * * * *", 'minute (field 2 of 6) "60" is out of range; 0-59 is accepted'],
    ["0 24 * * *", 'hour (field 2 of 5) "24" is out of range; 0-23 is accepted'],
    ["0 0 32 * *", 'day of month (field 3 of 5) "32" is out of range; 1-31, L'],
    ["0 0 32W * *", 'day of month (field 3 of 5) "32W" is not read; 1-31, L (the last day), 15W'],
    ["0 0 1,LW * *", 'day of month (field 3 of 5) "1,LW" is not read; 1-31'],
    ["0 0 * 13 *", 'month (field 4 of 5) "13" is out of range; 1-12 or JAN-DEC is accepted'],
    ["0 0 * * 8", 'day of week (field 5 of 5) "8" is out of range; 0-7 or SUN-SAT, '],
    ["0 0 * * +1", 'day of week (field 5 of 5) "+1" is not read; 0-7 or SUN-SAT, '],
    ["0 0 * * FRI-MON", "has a range that ends before it begins; two are accepted (FRI-SAT,SUN-MON)"],
    ["5-1 * * * *", "has a range that ends before it begins; two are accepted (5-59,0-1)"],
    ["0 0 * * MON-5", "has a range between a name and a number; two names or two numbers are accepted"],
    ["*/0 * * * *", "has a step of 0; 1 to 60 is accepted"],
    ["5/15 * * * *", "has a step of a single value; */15 or a range such as 5-59/15 is accepted"],
    ["1,* * * * *", "has * in a list; * alone stands for all values"],
    ["every day at five o'clock", 'day of month (field 3 of 5) "AT" is not read; 1-31'],
    ["0 24 32 * *", '"24" is out of range; 0-23 is accepted; day of month (field 3 of 5) "32"'],
    [`0 0 * * ${"1,".repeat(100)}`, `(field 5 of 5) "${"1,".repeat(40)}…" is not read`],
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
