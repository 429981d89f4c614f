/**
 * From wall-clock times to instants. A schedule names local times; the zone says which instants
 * those are. Where the clocks jump forward, the times in the gap do not exist; where they jump back,
 * the times in the fold exist twice. A `ClockChangeRule` says what becomes of them.
 *
 * A local day that the gap swallows whole (Pacific/Apia, 2011-12-30) has no occurrences under any rule.
 */
import type { ZoneSegment } from "./rules-segment.ts";
import { segmentAt } from "./zone-segment.ts";

const DAY_MS = 86_400_000;

/** 9999-12-31T23:59:59.999Z: the last millisecond that a protobuf Timestamp can carry. */
export const LAST_INSTANT = 253_402_300_799_999;

/** The local times that a schedule names, as `zone-segment.ts` counts them. */
export interface LocalTimes {
  /** The first at or after `local`; null: there is none. */
  next(local: number): number | null;
  /** Those at or after `from` and before `to`, without a step for each. */
  within(from: number, to: number): Counted;
}

/** Times, counted: how many there are, and the last two of them. */
export interface Counted {
  readonly count: number;
  readonly last: number | null;
  readonly beforeLast: number | null;
}

export interface ClockChangeRule {
  /**
   * `run_after`: all local times in a gap make one run, at the first instant after it. `skip`: they
   * make one occurrence there that is dropped. `ignore`: they never were occurrences.
   */
  readonly gap: "run_after" | "skip" | "ignore";
  readonly fold: "first" | "last" | "both";
}

export interface LocalSchedule {
  readonly times: LocalTimes;
  readonly timeZone: string;
  readonly rule: ClockChangeRule;
}

export interface Occurrence {
  readonly time: number;
  /** The local time that the schedule names; of several in one gap the first. */
  readonly local: number;
  /** What a change of the clocks did to it. */
  readonly change: "none" | "moved" | "dropped" | "first_of_two" | "second_of_two";
}

/** The first occurrence strictly after an instant; null: there is none. Dropped ones are among them. */
export function nextLocalOccurrence(schedule: LocalSchedule, after: number): Occurrence | null {
  const { times, timeZone, rule } = schedule;
  let from = after + 1;
  let segment = segmentAt(timeZone, after);
  while (from <= LAST_INSTANT) {
    if (from === segment.start) {
      const swallowed = firstSwallowed(times, segment);
      if (swallowed !== null && rule.gap !== "ignore") {
        return { time: from, local: swallowed, change: rule.gap === "skip" ? "dropped" : "moved" };
      }
    }
    const local = times.next(Math.max(from + segment.offsetMs, firstLocal(segment, rule)));
    if (local === null) return null;
    if (local < endLocal(segment, rule)) {
      const time = local - segment.offsetMs;
      return time <= LAST_INSTANT ? { time, local, change: passOf(local, segment) } : null;
    }
    from = segment.end;
    if (from > LAST_INSTANT) return null;
    segment = segmentAt(timeZone, from);
  }
  return null;
}

/** The occurrences after an instant, through another one: as `nextLocalOccurrence` would find them one by one. */
export function countLocalOccurrences(schedule: LocalSchedule, after: number, through: number): Counted {
  const { times, timeZone, rule } = schedule;
  const end = Math.min(through, LAST_INSTANT);
  let counted: Counted = { count: 0, last: null, beforeLast: null };
  let from = after + 1;
  let segment = segmentAt(timeZone, after);
  while (from <= end) {
    if (from === segment.start && rule.gap !== "ignore" && firstSwallowed(times, segment) !== null) {
      counted = { count: counted.count + 1, last: from, beforeLast: counted.last };
      from++;
    }
    const { offsetMs } = segment;
    const first = Math.max(from + offsetMs, firstLocal(segment, rule));
    const found = times.within(first, Math.min(end + 1 + offsetMs, endLocal(segment, rule)));
    if (found.last !== null) {
      counted = {
        count: counted.count + found.count,
        last: found.last - offsetMs,
        beforeLast: found.beforeLast === null ? counted.last : found.beforeLast - offsetMs,
      };
    }
    from = segment.end;
    if (from <= end) segment = segmentAt(timeZone, from);
  }
  return counted;
}

/** The first local time in the gap at the segment's start whose day exists; null: none. */
function firstSwallowed(times: LocalTimes, segment: ZoneSegment): number | null {
  const gapEnd = segment.start + segment.offsetMs;
  let local = times.next(segment.start + segment.offsetBeforeMs);
  while (local !== null && local < gapEnd) {
    const dayStart = Math.floor(local / DAY_MS) * DAY_MS;
    const gapStart = segment.start + segment.offsetBeforeMs;
    if (dayStart < gapStart || dayStart + DAY_MS > gapEnd) return local;
    local = times.next(dayStart + DAY_MS);
  }
  return null;
}

/** Under the rule `first`, the second pass through a fold starts where the first one ended. */
function firstLocal(segment: ZoneSegment, rule: ClockChangeRule): number {
  const offsetMs =
    rule.fold === "first" ? Math.max(segment.offsetMs, segment.offsetBeforeMs) : segment.offsetMs;
  return segment.start + offsetMs;
}

/** Under the rule `last`, the first pass ends where the second one will start. */
function endLocal(segment: ZoneSegment, rule: ClockChangeRule): number {
  const offsetMs =
    rule.fold === "last" ? Math.min(segment.offsetMs, segment.offsetAfterMs) : segment.offsetMs;
  return segment.end + offsetMs;
}

function passOf(local: number, segment: ZoneSegment): Occurrence["change"] {
  if (local >= segment.end + segment.offsetAfterMs) return "first_of_two";
  if (local < segment.start + segment.offsetBeforeMs) return "second_of_two";
  return "none";
}
