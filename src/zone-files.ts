/**
 * The system's time zone files, as data for `core/calendar/`. Read as a whole at start: an upgrade of the files
 * below a running process would otherwise give it two versions at once, under the name of one.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { parseTzif, type ZoneRules } from "./core/calendar/tzif.ts";
import type { ZoneData } from "./core/calendar/zone-segment.ts";
import type { Logger } from "./core/logger.ts";

/** Where systems keep them. */
const FOLDERS = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/** The same zones once more, some of them with leap seconds. */
const NOT_ZONES = new Set(["posix", "right"]);
const NAME = /^[A-Z][\w+-]*(\/[A-Z][\w+-]*){0,2}$/i;
const MAGIC = "TZif";
const MAX_FILES = 4_000;
/** America/Argentina/Ushuaia. */
const MAX_DEPTH = 2;
/** The largest has less than 4 KiB. */
const MAX_FILE_BYTES = 64 * 1024;

export interface ChosenZoneData extends ZoneData {
  /** For people: where it is from. */
  readonly source: string;
}

/**
 * The newer of the system's files and of what comes with the runtime; of a folder that was asked for, the files
 * whatever their version. Throws when that folder has none.
 */
export function chooseZoneData(folder: string | null, logger: Logger): ChosenZoneData {
  const runtime = process.versions.tz ?? "";
  if (folder !== null) {
    const files = readZoneFiles(folder, logger);
    if (files === null)
      throw new Error(
        `TZDIR: ${folder} has no time zone files; a folder of TZif files with their version in +VERSION, tzdata.zi or version is accepted`,
      );
    return files;
  }
  for (const place of FOLDERS) {
    const version = zoneFilesVersion(place);
    if (version === null) continue;
    // Versions are years and letters: 2025b, 2026c. The first place that has files is the system's.
    const files = version > runtime ? readZoneFiles(place, logger) : null;
    if (files !== null) return files;
    break;
  }
  return { version: runtime, rules: () => null, source: "ICU" };
}

/** Null: there are none, or nothing says which version they are. */
function readZoneFiles(folder: string, logger: Logger): ChosenZoneData | null {
  const version = zoneFilesVersion(folder);
  if (version === null) return null;
  const zones = new Map<string, Uint8Array>();
  for (const path of pathsIn(folder)) {
    const name = relative(folder, path).split(sep).join("/");
    if (!NAME.test(name) || zones.size >= MAX_FILES) continue;
    const bytes = readZoneFile(path);
    if (bytes !== null) zones.set(name, bytes);
  }
  if (zones.size === 0) return null;
  const parsed = new Map<string, ZoneRules | null>();
  return {
    version,
    source: folder,
    rules(timeZone) {
      const name = zones.has(timeZone) ? timeZone : canonical(timeZone);
      const bytes = zones.get(name);
      if (bytes === undefined) return null;
      let rules = parsed.get(name);
      if (rules === undefined) {
        rules = parse(name, bytes, logger);
        parsed.set(name, rules);
      }
      return rules;
    },
  };
}

/** Old names, such as US/Eastern, are not everywhere among the files. */
function canonical(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch {
    return timeZone;
  }
}

function parse(timeZone: string, bytes: Uint8Array, logger: Logger): ZoneRules | null {
  try {
    return parseTzif(bytes);
  } catch (error) {
    logger.warn({ error, timeZone }, "a time zone's file cannot be read; its rules are ICU's");
    return null;
  }
}

/** Of the IANA database, "2026c"; null: nothing says it. */
function zoneFilesVersion(folder: string): string | null {
  for (const name of ["+VERSION", "tzdata.zi", "version"]) {
    const [line = ""] = firstBytes(join(folder, name)).split("\n");
    const version = /^(?:# version )?((?:19|20)\d\d[a-z]{1,2})\b/.exec(line)?.[1];
    if (version !== undefined) return version;
  }
  return null;
}

function firstBytes(path: string): string {
  try {
    return readFileSync(path, "latin1").slice(0, 64);
  } catch {
    return "";
  }
}

function pathsIn(folder: string, depth = 0): string[] {
  if (depth > MAX_DEPTH) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !NOT_ZONES.has(name));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    // Not a link to a folder: one to a folder above would have no end.
    if (entry.isDirectory()) return pathsIn(path, depth + 1);
    return entry.isFile() || entry.isSymbolicLink() ? [path] : [];
  });
}

function readZoneFile(path: string): Uint8Array | null {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) return null;
    const bytes = readFileSync(path);
    return bytes.subarray(0, MAGIC.length).toString("latin1") === MAGIC ? bytes : null;
  } catch {
    return null;
  }
}
