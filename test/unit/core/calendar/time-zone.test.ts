import { describe, expect, test } from "vitest";
import { describeUnknownTimeZone, findTimeZone } from "../../../../src/core/calendar/time-zone.ts";
import { useZoneData } from "../../../../src/core/calendar/zone-segment.ts";

describe("a time zone's name", () => {
  test("is accepted for every zone and for the usual aliases", () => {
    for (const zone of [...Intl.supportedValuesOf("timeZone"), "UTC", "Etc/GMT+5", "US/Pacific"]) {
      expect(findTimeZone(zone)).toBe(zone);
    }
  });

  test("is accepted in any case, and comes back in its usual spelling", () => {
    expect(findTimeZone("asia/shanghai")).toBe("Asia/Shanghai");
    expect(findTimeZone("utc")).toBe("UTC");
  });

  test.each(["", "Mars/Base", "+08:00", "-0300", "2020-01-01[UTC]", "Z", " UTC"])(
    "is refused: %j",
    (name) => {
      expect(findTimeZone(name)).toBeNull();
    },
  );

  test.each(["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/UTC"])(
    "is no name though the system has a file for it: %s",
    (name) => {
      const rules = { firstOffsetMs: 0, changes: [], rule: null, ruleFrom: 0 };
      useZoneData({ version: "2026f", rules: () => rules });
      expect(findTimeZone("Europe/Newtown")).toBe("Europe/Newtown");
      expect(findTimeZone(name)).toBeNull();
      useZoneData(null);
    },
  );

  test.each([
    ["Europe/Berln", "Europe/Berlin"],
    ["America/NewYork", "America/New_York"],
    ["shanghai", "Asia/Shanghai"],
    ["Ucc", "UTC"],
  ])("that is unknown is answered with the nearest one: %s", (name, nearest) => {
    expect(describeUnknownTimeZone(name)).toContain(`did you mean "${nearest}"?`);
  });

  test("that is like no other is answered without a guess", () => {
    expect(describeUnknownTimeZone("Mars/Base")).not.toContain("did you mean");
    expect(describeUnknownTimeZone("x".repeat(10_000))).not.toContain("did you mean");
  });
});

test("a name as long as a book is not repeated", () => {
  const said = describeUnknownTimeZone("x".repeat(1_000_000));
  expect(said).toContain(`"${"x".repeat(80)}…" is not a known time zone; an IANA time zone such as`);
  expect(said.length).toBeLessThan(300);
});
