import fc from "fast-check";
import { expect, test } from "vitest";
import { instantProblem } from "../../../../src/core/calendar/rfc3339.ts";

test.each([
  ["2027-02-30T00:00:00Z", "a day that does not exist: 2027-02 has 28"],
  ["2100-02-29T00:00:00Z", "a day that does not exist: 2100-02 has 28"],
  ["2026-00-01T00:00:00Z", "month does not exist"],
  ["2026-13-01T00:00:00Z", "month does not exist"],
  ["2026-01-00T00:00:00Z", "a day that does not exist"],
  ["2026-04-31T00:00:00Z", "2026-04 has 30"],
  ["2026-01-01T24:00:00Z", "hour does not exist"],
  ["2026-01-01T00:60:00Z", "minute does not exist"],
  ["2016-12-31T23:59:60Z", "a leap second is not"],
  ["2026-01-01T00:00:00", "no time zone"],
  ["2026-01-01t00:00:00Z", "capitals"],
  ["2026-01-01T00:00:00z", "capitals"],
  ["2026-01-01T00:00:00.1234567890Z", "10 decimals"],
  ["2026-01-01T00:00:00+24:00", "offset does not exist"],
  ["2026-01-01T00:00:00-23:60", "offset does not exist"],
  ["0000-12-31T23:59:59Z", "0001 to 9999"],
  ["0001-01-01T00:00:00+00:01", "0001 to 9999"],
  ["9999-12-31T23:59:59.9-00:01", "0001 to 9999"],
  ["+012026-01-01T00:00:00Z", "no RFC 3339 time"],
  ["2026-1-1T00:00:00Z", "no RFC 3339 time"],
  ["2026-01-01 00:00:00Z", "no RFC 3339 time"],
  ["2026-01-01T00:00Z", "no RFC 3339 time"],
  ["2026-01-01T00:00:00.Z", "no RFC 3339 time"],
  ["2026-01-01T00:00:00+0100", "no RFC 3339 time"],
  ["2026-01-01T00:00:00Z\n", "no RFC 3339 time"],
  ["", "no RFC 3339 time"],
])("%j is refused", (text, reason) => {
  expect(instantProblem(text)).toContain(reason);
});

test.each([
  "2028-02-29T23:59:59.999999999Z",
  "2000-02-29T00:00:00+23:59",
  "2026-01-01T00:00:00-00:00",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "9999-12-31T23:59:59+23:59",
])("%s is accepted", (text) => {
  expect(instantProblem(text)).toBeNull();
});

test("agrees with Temporal on what exists", () => {
  const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");
  const small = (most: number) => fc.integer({ min: 0, max: most });
  const parts = fc.tuple(
    fc.integer({ min: 1, max: 9998 }),
    small(14),
    small(33),
    small(25),
    small(61),
    small(61),
  );
  const property = fc.property(parts, ([year, month, day, hour, minute, second]) => {
    const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
    const text = `${date}T${pad(hour)}:${pad(minute)}:${pad(second)}Z`;
    let exists = true;
    try {
      Temporal.PlainDateTime.from({ year, month, day, hour, minute, second }, { overflow: "reject" });
    } catch {
      exists = false;
    }
    expect({ text, isAccepted: instantProblem(text) === null }).toEqual({ text, isAccepted: exists });
  });
  fc.assert(property, { seed: 13, numRuns: 20_000 });
});
