/**
 * Cron expressions: when they come. `cron-grammar.ts` reads them, and croner says which days match, both without
 * a time zone; the time of day and the zone are computed here. (croner's own zone arithmetic has no rule for several
 * times that fall into one gap, and costs 30 to 70 µs a step, where this takes 0.5 to 10.)
 *
 * When the clocks change, as in Vixie cron (crontab(5), "local time changes of less than three hours"):
 * - Fold: an expression whose second, minute or hour field starts with `*` follows the clock and runs
 *   through both passes; any other runs in the first one only.
 * - Gap: all times in it make one run, at the first instant after. An expression whose hour field
 *   starts with `*` makes up for nothing: its next regular time is near. (Vixie cron makes up for
 *   nothing when only the minutes start with `*`, either; `*\/15 2 * * *` would then lose its night.)
 */
import { Cron } from "croner";
import { quote } from "../errors.ts";
import { type CronFields, readCronFields } from "./cron-grammar.ts";
import type { ClockChangeRule, Counted, LocalTimes } from "./local-schedule.ts";
import { TimesOfDay } from "./times-of-day.ts";

const DAY_MS = 86_400_000;

export interface ParsedCron {
  readonly times: LocalTimes;
  readonly rule: ClockChangeRule;
}

/** In an `error`: what is wrong, and what would be accepted. */
export type CronParse = ParsedCron | { readonly error: string };

// Parsing costs far more than a step, and many jobs share few expressions.
const cache = new Map<string, CronParse>();
const CACHED_EXPRESSIONS = 1000;
const LONGEST_EXPRESSION = 255;

export function parseCron(expression: string): CronParse {
  const known = cache.get(expression);
  if (known) return known;
  const parsed = parse(expression);
  if (cache.size >= CACHED_EXPRESSIONS) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  }
  if (expression.length <= LONGEST_EXPRESSION) cache.set(expression, parsed);
  return parsed;
}

function parse(expression: string): CronParse {
  if (expression.length > LONGEST_EXPRESSION) {
    return { error: `has ${expression.length} characters; up to ${LONGEST_EXPRESSION} are accepted` };
  }
  const fields = readCronFields(expression);
  if ("error" in fields) return fields;
  const nextDay = matchingDays(fields);
  if (nextDay(0) === null) {
    return { error: `${quote(expression)} never comes: no month that it names has such a day` };
  }
  const { isWild } = fields;
  return {
    times: cronTimes(nextDay, fields),
    rule: { gap: isWild.hour ? "ignore" : "run_after", fold: isWild.time ? "both" : "first" },
  };
}

// The calendar repeats itself, weekdays and all, and croner ends at the year 3000: it is asked about these years only.
const CYCLE_DAYS = 146_097;
const CYCLE_START = Date.UTC(2000, 0, 1) / DAY_MS;

/** The first matching day at or after a day, both counted from 1970-01-01. */
function matchingDays({ days, isEveryDay, isWild }: CronFields): (day: number) => number | null {
  if (isEveryDay) return (day) => day;
  // Vixie: of two restricted day fields either is enough, but one that starts with `*` restricts nothing
  // by itself, so that `*/2` and a weekday must both match.
  const options = { mode: "6-part", utcOffset: 0, paused: true, domAndDow: isWild.day } as const;
  const cron = new Cron(`0 0 0 ${days}`, options);
  let asked = Number.NaN;
  let answer: number | null = null;
  return (day) => {
    // The day that was asked for last is asked for again and again, by every step within it.
    if (day === asked) return answer;
    const shift = Math.floor((day - CYCLE_START) / CYCLE_DAYS) * CYCLE_DAYS;
    const found = cron.nextRun(new Date((day - shift) * DAY_MS - 1000));
    asked = day;
    answer = found && found.getTime() / DAY_MS + shift;
    return answer;
  };
}

function cronTimes(nextDay: (day: number) => number | null, fields: CronFields): LocalTimes {
  const times = new TimesOfDay(fields.hours, fields.minutes, fields.seconds);
  const next = (local: number): number | null => {
    const day = Math.floor(local / DAY_MS);
    const found = nextDay(day);
    if (found === null) return null;
    const index = found === day ? times.countBefore(secondOfDay(local, day)) : 0;
    return index < times.size ? found * DAY_MS + times.at(index) * 1000 : next((found + 1) * DAY_MS);
  };
  const within = (from: number, to: number): Counted => {
    let counted: Counted = { count: 0, last: null, beforeLast: null };
    let day = nextDay(Math.floor(from / DAY_MS));
    while (day !== null && day * DAY_MS < to) {
      const midnight = day * DAY_MS;
      const first = times.countBefore(secondOfDay(from, day));
      const end = times.countBefore(secondOfDay(to, day));
      if (end > first) {
        counted = {
          count: counted.count + end - first,
          last: midnight + times.at(end - 1) * 1000,
          beforeLast: end - first > 1 ? midnight + times.at(end - 2) * 1000 : counted.last,
        };
      }
      day = nextDay(day + 1);
    }
    return counted;
  };
  return { next, within };
}

/** The first whole second at or after a local time, counted from the midnight at which a day begins. */
function secondOfDay(local: number, day: number): number {
  return Math.ceil((local - day * DAY_MS) / 1000);
}
