import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findTimeZone } from "../../src/core/calendar/time-zone.ts";
import { segmentAt, useZoneData } from "../../src/core/calendar/zone-segment.ts";
import { chooseZoneData } from "../../src/zone-files.ts";
import { silentLogger } from "../fixtures/silent-logger.ts";
import { writeTzif } from "../fixtures/tzif-writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zones-"));
});
afterEach(() => {
  useZoneData(null);
  rmSync(folder, { recursive: true });
});

const NOW = Date.UTC(2030, 0, 1);

function put(name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

function zone(hours: number): Uint8Array {
  return writeTzif({ version: 2, firstOffset: hours * 3600, changes: [] });
}

test.each([
  ["+VERSION", "2099b\n"],
  ["tzdata.zi", "# version 2099b\n# This zic input file…"],
  ["version", "2099b"],
])("the version is in %s, and the zones are those of the folder", (name, text) => {
  put(name, text);
  put("Europe/Berlin", zone(5));
  put("Mars/Base", zone(7));
  put("America/New_York", zone(6));
  symlinkSync("Berlin", join(folder, "Europe/Busingen"));
  const data = chooseZoneData(folder, silentLogger);
  expect([data.version, data.source]).toEqual(["2099b", folder]);
  useZoneData(data);
  for (const [timeZone, hours] of [
    ["Europe/Berlin", 5],
    ["Europe/Busingen", 5],
    ["Mars/Base", 7],
    ["Asia/Tokyo", 9],
  ] as const) {
    expect(segmentAt(timeZone, NOW).offsetMs).toBe(hours * 3_600_000);
  }
  expect(segmentAt("US/Eastern", NOW).offsetMs).toBe(6 * 3_600_000);
  // A zone that only the files have is a zone.
  expect(findTimeZone("Mars/Base")).toBe("Mars/Base");
  expect(findTimeZone("Mars/Other")).toBeNull();
});

test("no name leads out of the folder, and what is no zone is none", () => {
  put("version", "2099b");
  put("Europe/Berlin", zone(5));
  put("posix/Europe/Berlin", zone(5));
  put("right/Europe/Berlin", zone(5));
  put("zone.tab", "AD\t+4230+00131\tEurope/Andorra");
  put("Big", new Uint8Array(70_000));
  symlinkSync(folder, join(folder, "Loop"));
  const { rules } = chooseZoneData(folder, silentLogger);
  for (const name of [
    "../x",
    "/etc/passwd",
    "Europe",
    "zone.tab",
    "posix/Europe/Berlin",
    "right/Europe/Berlin",
    "Big",
    "",
    "__proto__",
    "Europe/../Europe/Berlin",
  ]) {
    expect({ name, rules: rules(name) }).toEqual({ name, rules: null });
  }
  expect(rules("Europe/Berlin")).not.toBeNull();
});

test("a file that cannot be read is said, and its zone is ICU's", () => {
  put("version", "2099b");
  put("Europe/Berlin", Buffer.from("TZif2 and so on"));
  const said: unknown[] = [];
  useZoneData(chooseZoneData(folder, { ...silentLogger, warn: (...words) => said.push(words) }));
  expect(segmentAt("Europe/Berlin", NOW).offsetMs).toBe(3_600_000);
  expect(said).toHaveLength(1);
});

test("a folder that was asked for has to have zones and their version", () => {
  expect(() => chooseZoneData(folder, silentLogger)).toThrow(`TZDIR: ${folder} has no time zone files`);
  expect(() => chooseZoneData(join(folder, "none"), silentLogger)).toThrow("TZDIR");
});

test("without one, it is never older than what comes with Node", () => {
  const { version } = chooseZoneData(null, silentLogger);
  expect(version >= (process.versions.tz ?? "")).toBe(true);
});
