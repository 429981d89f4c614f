/**
 * All due times of a schedule over years, for comparison: another walk of `wall-clock-oracle.ts`'s
 * kind, which reads the clock on the wall every hour, and every half minute of an hour within which it
 * was changed. Cron expressions are read here, too, as far as the tests use them: `*`, numbers, lists,
 * ranges and steps.
 */
import type { Schedule } from "../../../../src/core/job.ts";
import { type ReadClock, wallClock } from "./wall-clock-oracle.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 30_000;

export interface DueTime {
  readonly instant: number;
  /** A change of the clocks dropped it (daily, gap `skip`): this is the first instant after the gap. */
  readonly isDropped: boolean;
}

interface Named {
  /** Times of day, in order. */
  readonly timesMs: readonly number[];
  /** `day`: local days since 1970-01-01. */
  readonly hasDay: (day: number) => boolean;
  readonly gap: "run_after" | "skip" | "ignore";
  readonly fold: "first" | "last" | "both";
}

/** The clock of one zone over a stretch of time, read once for all schedules in it. */
export class WallCalendar {
  private readonly readClock: ReadClock;
  private readonly from: number;
  private readonly to: number;
  /** Of each hour from `from` on, and of the one after the last: what the wall clock is ahead of UTC. */
  private readonly offsets: number[] = [];
  private readonly days = new Set<number>();

  constructor(timeZone: string, from: number, to: number) {
    this.readClock = wallClock(timeZone);
    this.from = Math.floor(from / HOUR_MS) * HOUR_MS;
    this.to = to;
    for (let hour = this.from; hour <= to + HOUR_MS; hour += HOUR_MS) {
      const local = this.readClock(hour);
      this.offsets.push(local - hour);
      this.days.add(Math.floor(local / DAY_MS));
    }
  }

  /** Those strictly after `from`, up to `to`. */
  dueTimes(schedule: Schedule): DueTime[] {
    const named = namedTimes(schedule);
    const passes = new Map<number, number[]>();
    const afterGaps = new Set<number>();
    const pass = (local: number, instant: number) => {
      const seen = passes.get(local);
      if (seen) seen.push(instant);
      else passes.set(local, [instant]);
    };
    for (const [index, offset] of this.offsets.entries()) {
      const hour = this.from + index * HOUR_MS;
      if (this.offsets[index + 1] === undefined) break;
      if (offset === this.offsets[index + 1]) {
        for (const local of namedBetween(named, hour + offset, hour + offset + HOUR_MS)) {
          pass(local, local - offset);
        }
        continue;
      }
      let before = this.readClock(hour) - STEP_MS;
      // With the first instant of the next hour, at which the clock may have been put forward.
      for (let instant = hour; instant <= hour + HOUR_MS; instant += STEP_MS) {
        const local = this.readClock(instant);
        if (instant < hour + HOUR_MS) {
          for (const seen of namedBetween(named, local, local + STEP_MS)) pass(seen, instant + seen - local);
        }
        for (const missing of namedBetween(named, before + STEP_MS, local)) {
          if (this.days.has(Math.floor(missing / DAY_MS))) afterGaps.add(instant);
        }
        before = local;
      }
    }
    return this.chosen(named, passes, afterGaps);
  }

  private chosen(
    { gap, fold }: Named,
    passes: ReadonlyMap<number, readonly number[]>,
    afterGaps: ReadonlySet<number>,
  ): DueTime[] {
    const runs = new Set<number>();
    for (const instants of passes.values()) {
      if (fold !== "last") runs.add(instants[0] ?? Number.NaN);
      if (fold !== "first") runs.add(instants.at(-1) ?? Number.NaN);
    }
    const dropped = new Set<number>();
    for (const instant of gap === "ignore" ? [] : afterGaps) {
      if (gap === "run_after") runs.add(instant);
      else dropped.add(instant);
    }
    return [
      ...[...runs].map((instant) => ({ instant, isDropped: dropped.has(instant) })),
      ...[...dropped]
        .filter((instant) => !runs.has(instant))
        .map((instant) => ({ instant, isDropped: true })),
    ]
      .filter(({ instant }) => this.from < instant && instant <= this.to)
      .sort((one, other) => one.instant - other.instant);
  }
}

/** The local times from one (inclusive) to another (exclusive) that are named. */
function* namedBetween({ timesMs, hasDay }: Named, from: number, to: number): Iterable<number> {
  for (let day = Math.floor(from / DAY_MS); day * DAY_MS < to; day++) {
    if (!hasDay(day)) continue;
    for (let index = firstFrom(timesMs, from - day * DAY_MS); index < timesMs.length; index++) {
      const local = day * DAY_MS + (timesMs[index] ?? 0);
      if (local >= to) return;
      yield local;
    }
  }
}

/** The index of the first time at or after one. */
function firstFrom(timesMs: readonly number[], from: number): number {
  let [low, high] = [0, timesMs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function namedTimes(schedule: Schedule): Named {
  if (schedule.kind === "daily") {
    const { secondOfDay, gap, fold } = schedule;
    return { timesMs: [secondOfDay * 1000], hasDay: () => true, gap, fold };
  }
  if (schedule.kind !== "cron") throw new Error(`${schedule.kind} jobs do not recur`);
  const fields = schedule.expression.split(" ");
  const [second = "", minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] =
    fields.length === 5 ? ["0", ...fields] : fields;
  const timesMs: number[] = [];
  for (const h of numbers(hour, 0, 23))
    for (const m of numbers(minute, 0, 59))
      for (const s of numbers(second, 0, 59)) timesMs.push(((h * 60 + m) * 60 + s) * 1000);
  const days = new Set(numbers(dayOfMonth, 1, 31));
  const months = new Set(numbers(month, 1, 12));
  const weekdays = new Set(numbers(dayOfWeek, 0, 7).map((day) => day % 7));
  // Vixie: of two restricted day fields either is enough.
  const needsBoth = dayOfMonth.startsWith("*") || dayOfWeek.startsWith("*");
  const hasDay = (day: number) => {
    const date = new Date(day * DAY_MS);
    const [inMonth, inWeek] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
    return months.has(date.getUTCMonth() + 1) && (needsBoth ? inMonth && inWeek : inMonth || inWeek);
  };
  const isWild = [second, minute, hour].some((field) => field.startsWith("*"));
  return {
    timesMs,
    hasDay,
    gap: hour.startsWith("*") ? "ignore" : "run_after",
    fold: isWild ? "both" : "first",
  };
}

function numbers(field: string, least: number, most: number): number[] {
  const found = new Set<number>();
  for (const item of field.split(",")) {
    const [range = "", step = "1"] = item.split("/");
    const [low, high = low] = range === "*" ? [least, most] : range.split("-").map(Number);
    for (let value = low ?? least; value <= (high ?? most); value += Number(step)) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}
