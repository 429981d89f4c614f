import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTimeOfDay, parseTimeOfDay } from "../../../../src/core/calendar/daily.ts";

test("a time of day is read with or without seconds", () => {
  expect(parseTimeOfDay("00:00")).toBe(0);
  expect(parseTimeOfDay("08:30")).toBe(30_600);
  expect(parseTimeOfDay("23:59:59")).toBe(86_399);
});

test.each(["25:61", "24:00", "8:30", "08:60", "08:30:60", "", "noon", "08:30 ", "08.30", "-1:00"])(
  "%j is no time of day",
  (text) => {
    expect(parseTimeOfDay(text)).toBeNull();
  },
);

test("every second of the day is written so that it is read back", () => {
  const property = fc.property(fc.integer({ min: 0, max: 86_399 }), (second) => {
    expect(parseTimeOfDay(formatTimeOfDay(second))).toBe(second);
  });
  fc.assert(property);
});
