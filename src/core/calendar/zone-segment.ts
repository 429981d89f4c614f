/**
 * A time zone as stretches of time with one UTC offset. Local times are numbers here, too: the
 * milliseconds of the wall clock's reading taken as if it were UTC, so that
 * `local = instant + offset`, and calendar arithmetic needs no zone.
 */
import { ElasticJobError } from "../errors.ts";
import { rulesSegment, type ZoneSegment } from "./rules-segment.ts";
import type { ZoneRules } from "./tzif.ts";

/** What is known of the world's zones. */
export interface ZoneData {
  /** Of the IANA database: "2026f". */
  readonly version: string;
  /** Null: it has no such zone, which is then looked for in what comes with the runtime (ICU). */
  rules(timeZone: string): ZoneRules | null;
}

let data: ZoneData | null = null;

/** For the whole process, from now on. Null: what comes with the runtime. */
export function useZoneData(given: ZoneData | null): void {
  data = given;
  latest.clear();
}

/** The version of the data that was handed in; null: none was. */
export function zoneDataVersion(): string | null {
  return data?.version ?? null;
}

/** Files beside the zones' own: what a machine's clock shows, whatever that is, and what stands for no zone. */
const NO_ZONE = /^(localtime|posixrules|factory|(posix|right)\/.*)$/i;

export function isNoZone(name: string): boolean {
  return NO_ZONE.test(name);
}

/** Whether the zone is one that ICU need not know. */
export function hasZone(timeZone: string): boolean {
  return data !== null && !isNoZone(timeZone) && data.rules(timeZone) !== null;
}

/**
 * Whether times in a zone that is stored can be computed here: another node's data, by which the job was taken, may be newer than
 * this one's.
 */
export function isZoneKnown(timeZone: string): boolean {
  if (latest.has(timeZone) || hasZone(timeZone)) return true;
  try {
    return new Temporal.ZonedDateTime(0n, timeZone).timeZoneId !== "";
  } catch {
    return false;
  }
}

/** What is to be done about it. */
export function unknownZone(timeZone: string): string {
  return `the time zone "${timeZone}" is not in the time zone data of the node that is master; give all nodes the newest data (TZDIR), or the job another zone`;
}

// Nearly all questions are about the present, and so about the same segment of each zone.
// Bounded by the number of zone names.
const latest = new Map<string, ZoneSegment>();

/** `timeZone` as `findTimeZone` returns it. */
export function segmentAt(timeZone: string, instant: number): ZoneSegment {
  const known = latest.get(timeZone);
  if (known && known.start <= instant && instant < known.end) return known;
  const segment = readSegment(timeZone, instant);
  latest.set(timeZone, segment);
  return segment;
}

function readSegment(timeZone: string, instant: number): ZoneSegment {
  const rules = data?.rules(timeZone) ?? null;
  return rules === null ? runtimeSegment(timeZone, instant) : rulesSegment(rules, instant);
}

function runtimeSegment(timeZone: string, instant: number): ZoneSegment {
  const here = zonedAt(timeZone, instant);
  // "previous" excludes the instant itself, which may be the one where the clocks changed.
  const start = zonedAt(timeZone, instant + 1).getTimeZoneTransition("previous");
  const end = here.getTimeZoneTransition("next");
  const offsetMs = offsetOf(here);
  return {
    start: start ? start.epochMilliseconds : Number.NEGATIVE_INFINITY,
    end: end ? end.epochMilliseconds : Number.POSITIVE_INFINITY,
    offsetMs,
    offsetBeforeMs: start ? offsetOf(zonedAt(timeZone, start.epochMilliseconds - 1)) : offsetMs,
    offsetAfterMs: end ? offsetOf(end) : offsetMs,
  };
}

function zonedAt(timeZone: string, instant: number): Temporal.ZonedDateTime {
  try {
    return new Temporal.ZonedDateTime(BigInt(instant) * 1_000_000n, timeZone);
  } catch (cause) {
    // A stored zone that another node knew: its time zone data is newer than ours.
    throw new ElasticJobError("failed_precondition", unknownZone(timeZone), { cause });
  }
}

function offsetOf(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1_000_000;
}
