import { afterEach, describe, expect, test } from "vitest";
import { rulesSegment, type ZoneSegment } from "../../../../src/core/calendar/rules-segment.ts";
import { parseTzif } from "../../../../src/core/calendar/tzif.ts";
import { segmentAt, useZoneData } from "../../../../src/core/calendar/zone-segment.ts";
import { type WrittenZone, writeTzif } from "../../../fixtures/tzif-writer.ts";

const HOUR_MS = 3_600_000;
const FROM = Date.UTC(1970, 0, 2);
const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];

afterEach(() => useZoneData(null));

/** All stretches between two instants; what was before the first is left out. */
function stretches(segmentOf: (instant: number) => ZoneSegment, from: number, to: number): unknown[] {
  const found: unknown[] = [];
  for (let at = from; at < to; ) {
    const { start, end, offsetMs, offsetBeforeMs, offsetAfterMs } = segmentOf(at);
    found.push(
      at === from
        ? { end, offsetMs, offsetAfterMs }
        : { start, end, offsetMs, offsetBeforeMs, offsetAfterMs },
    );
    at = end;
  }
  return found;
}

function recorded(timeZone: string, until: number): WrittenZone["changes"] {
  const changes: [number, number][] = [];
  for (let at = FROM; ; ) {
    const { end, offsetAfterMs } = segmentAt(timeZone, at);
    if (end >= until) return changes;
    changes.push([end / 1000, offsetAfterMs / 1000]);
    at = end;
  }
}

test.each([0, 2, 3, 4] as const)(
  "a file of version %i says of every zone what ICU says, from 1970 to 2037",
  (version) => {
    const until = Date.UTC(2037, 11, 31);
    for (const timeZone of ZONES) {
      const firstOffset = segmentAt(timeZone, FROM).offsetMs / 1000;
      const rules = parseTzif(writeTzif({ version, firstOffset, changes: recorded(timeZone, until) }));
      const expected = stretches((instant) => segmentAt(timeZone, instant), FROM, Date.UTC(2037, 0, 1));
      const read = stretches((instant) => rulesSegment(rules, instant), FROM, Date.UTC(2037, 0, 1));
      // The file ends with 2037.
      expect({ timeZone, read: read.slice(0, -1) }).toEqual({ timeZone, read: expected.slice(0, -1) });
    }
  },
);

describe("the rule after the last recorded change says what ICU says", () => {
  test.each([
    ["Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"],
    ["America/New_York", "EST5EDT,M3.2.0,M11.1.0"],
    ["Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3"],
    ["Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"],
    ["America/Nuuk", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"],
    ["Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"],
    ["Asia/Jerusalem", "IST-2IDT,M3.4.4/26,M10.5.0"],
    ["Asia/Kolkata", "IST-5:30"],
    ["Pacific/Chatham", "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45"],
  ])("%s %s", (timeZone, footer) => {
    const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2100, 0, 1)];
    const firstOffset = segmentAt(timeZone, Date.UTC(2020, 0, 1)).offsetMs / 1000;
    const changes = recorded(timeZone, Date.UTC(2020, 0, 1));
    const rules = parseTzif(writeTzif({ version: 3, firstOffset, changes, footer }));
    expect(stretches((instant) => rulesSegment(rules, instant), from, to)).toEqual(
      stretches((instant) => segmentAt(timeZone, instant), from, to),
    );
  });

  test("a summer that never ends is one offset, and days of the year count or skip 29 February", () => {
    const always = parseTzif(
      writeTzif({ version: 3, firstOffset: -14_400, changes: [], footer: "EST5EDT,0/0,J365/25" }),
    );
    const { end, offsetMs } = rulesSegment(always, Date.UTC(2030, 6, 1));
    expect([end, offsetMs]).toEqual([Number.POSITIVE_INFINITY, -4 * HOUR_MS]);
    const byDay = (footer: string) => {
      const rules = parseTzif(writeTzif({ version: 3, firstOffset: 0, changes: [], footer }));
      return new Date(rulesSegment(rules, Date.UTC(2028, 0, 2)).end).toISOString();
    };
    expect(byDay("AAA0BBB,J60/0,J300/0")).toBe("2028-03-01T00:00:00.000Z");
    expect(byDay("AAA0BBB,59/0,300/0")).toBe("2028-02-29T00:00:00.000Z");
  });

  test("a last entry that changes only the name still is where the rule begins (Grand Turk, 2018)", () => {
    const entries = [
      [Date.UTC(2014, 10, 2, 6) / 1000, -18_000],
      [Date.UTC(2015, 2, 8, 7) / 1000, -14_400],
      [Date.UTC(2018, 2, 11, 7) / 1000, -14_400],
    ] as const;
    const file = writeTzif({
      version: 2,
      firstOffset: -18_000,
      changes: entries,
      footer: "EST5EDT,M3.2.0,M11.1.0",
    });
    expect(rulesSegment(parseTzif(file), Date.UTC(2016, 11, 1))).toEqual({
      start: Date.UTC(2015, 2, 8, 7),
      end: Date.UTC(2018, 10, 4, 6),
      offsetMs: -4 * HOUR_MS,
      offsetBeforeMs: -5 * HOUR_MS,
      offsetAfterMs: -5 * HOUR_MS,
    });
  });
});

describe("a file that is not good is refused", () => {
  const good = writeTzif({ version: 2, firstOffset: 0, changes: [[0, 3600]], footer: "CET-1" });
  // After the first one, two types and a name.
  const SECOND_HEADER = 44 + 2 * 6 + 4;
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };
  test.each<[string, Uint8Array]>([
    ["no TZif file", Buffer.from("hello")],
    ["no TZif file", new Uint8Array()],
    ["cut off", good.subarray(0, -20)],
    ["footer is missing", good.subarray(0, -1)],
    ["its footer is no rule", writeTzif({ version: 2, firstOffset: 0, changes: [], footer: "now" })],
    [
      "not in order",
      writeTzif({
        version: 2,
        firstOffset: 0,
        changes: [
          [5, 1],
          [5, 0],
        ],
      }),
    ],
    ["no type of local time", changed((bytes) => bytes.writeUInt32BE(0, SECOND_HEADER + 36))],
    ["leap seconds", changed((bytes) => bytes.writeUInt32BE(1, SECOND_HEADER + 28))],
  ])("%s", (reason, bytes) => {
    expect(() => parseTzif(bytes)).toThrow(reason);
  });

  test("whatever its bytes are, it is read or refused", () => {
    for (let at = 0; at < good.byteLength; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bytes = changed((copy) => copy.writeUInt8(value, at));
        try {
          parseTzif(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }
    }
  });
});

test("what was handed in is used at once, and ICU for what it does not have", () => {
  const rules = parseTzif(writeTzif({ version: 2, firstOffset: 7200, changes: [], footer: "" }));
  const noon = Date.UTC(2026, 5, 1, 12);
  expect(segmentAt("America/Winnipeg", noon).offsetMs).not.toBe(2 * HOUR_MS);
  useZoneData({ version: "2026f", rules: (name) => (name === "America/Winnipeg" ? rules : null) });
  expect(segmentAt("America/Winnipeg", noon).offsetMs).toBe(2 * HOUR_MS);
  expect(segmentAt("Asia/Tokyo", noon).offsetMs).toBe(9 * HOUR_MS);
});
