/**
 * A second way to know when a schedule is due, for comparison: it walks through a stretch of time
 * instant by instant and looks at what a clock on the wall would show, as Intl (not Temporal) says.
 */
const DAY_MS = 86_400_000;
/** Local times and changes of the clocks since 1973 stand on this grid, Africa/Monrovia's before it, too. */
const STEP_MS = 30_000;
const COARSE_STEP_MS = 15 * 60_000;

export type ReadClock = (instant: number) => number;

/** What the wall clock shows, as milliseconds of that reading taken as UTC. */
export function wallClock(timeZone: string): ReadClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (instant) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = (
      format.format(instant).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

/** Days of a year within which the clock was put forward or back. */
export function daysOfChange(readClock: ReadClock, year: number): number[] {
  const changed: number[] = [];
  let day = Date.UTC(year, 0, 1);
  let offset = readClock(day) - day;
  while (day < Date.UTC(year + 1, 0, 1)) {
    const next = day + DAY_MS;
    const nextOffset = readClock(next) - next;
    if (nextOffset !== offset) changed.push(day);
    [day, offset] = [next, nextOffset];
  }
  return changed;
}

export interface Reading {
  readonly instant: number;
  readonly local: number;
}

/** All readings on the grid from one instant to another. */
export function readAll(readClock: ReadClock, from: number, to: number): Reading[] {
  const readings: Reading[] = [];
  let last = readClock(from) - from;
  for (let coarse = from; coarse < to; coarse += COARSE_STEP_MS) {
    const first = last;
    last = readClock(coarse + COARSE_STEP_MS) - coarse - COARSE_STEP_MS;
    for (let instant = coarse; instant < coarse + COARSE_STEP_MS; instant += STEP_MS) {
      // Without a change within the quarter of an hour there is nothing to ask.
      readings.push({ instant, local: first === last ? instant + first : readClock(instant) });
    }
  }
  return readings;
}

export interface Expected {
  readonly gap: "run_after" | "skip" | "ignore";
  readonly fold: "first" | "last" | "both";
  /** Whether the schedule names this local time. */
  readonly names: (local: number) => boolean;
}

/** When the schedule is to run within the readings, without their first and last day. */
export function expectedRuns(readings: readonly Reading[], { gap, fold, names }: Expected): number[] {
  const passes = new Map<number, number[]>();
  const daysThatExist = new Set<number>();
  const runs = new Set<number>();
  for (const { instant, local } of readings) {
    daysThatExist.add(Math.floor(local / DAY_MS));
    if (!names(local)) continue;
    const seen = passes.get(local);
    if (seen) seen.push(instant);
    else passes.set(local, [instant]);
  }
  for (const instants of passes.values()) {
    if (fold !== "last") runs.add(instants[0] ?? Number.NaN);
    if (fold !== "first") runs.add(instants.at(-1) ?? Number.NaN);
  }
  let before = readings[0];
  for (const reading of readings.slice(1)) {
    if (before && gap === "run_after") {
      for (let local = before.local + STEP_MS; local < reading.local; local += STEP_MS) {
        if (names(local) && daysThatExist.has(Math.floor(local / DAY_MS))) runs.add(reading.instant);
      }
    }
    before = reading;
  }
  return [...runs].filter((run) => isInside(readings, run)).sort((one, other) => one - other);
}

export function isInside(readings: readonly Reading[], instant: number): boolean {
  const [first, last] = [readings[0]?.instant ?? 0, readings.at(-1)?.instant ?? 0];
  return instant > first + DAY_MS && instant < last - DAY_MS;
}
