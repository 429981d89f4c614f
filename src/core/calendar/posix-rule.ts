/**
 * The rule that goes on for ever after a zone's last recorded change, as a TZif file's footer has it: POSIX's TZ
 * string (IEEE 1003.1, 8.3), with the times from -167 to 167 hours of RFC 9636, 3.3.1.
 */

const DAY_MS = 86_400_000;

export interface PosixRule {
  readonly standardMs: number;
  /** Null: the clocks are never changed. */
  readonly summer: {
    readonly offsetMs: number;
    readonly begins: YearlyChange;
    readonly ends: YearlyChange;
  } | null;
}

interface YearlyChange {
  /** The day, counted from 1970-01-01, on which it is in a year. */
  readonly dayIn: (year: number) => number;
  /** After that day's midnight, on the clock that is changed. */
  readonly timeMs: number;
}

export interface Change {
  readonly at: number;
  readonly offsetMs: number;
}

const ABBREVIATION = String.raw`(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)`;
const TIME = String.raw`[+-]?\d{1,3}(?::\d{1,2}(?::\d{1,2})?)?`;
const DATE = String.raw`(?:J\d{1,3}|\d{1,3}|M\d{1,2}\.[1-5]\.[0-6])(?:/${TIME})?`;
const RULE = new RegExp(`^${ABBREVIATION}(${TIME})(?:${ABBREVIATION}(${TIME})?,(${DATE}),(${DATE}))?$`);

/** Null: it is none. */
export function parsePosixRule(text: string): PosixRule | null {
  const match = RULE.exec(text);
  if (match === null) return null;
  const [, standard = "", summer, begins, ends] = match;
  // POSIX counts west of Greenwich.
  const standardMs = 0 - msOf(standard);
  if (begins === undefined || ends === undefined) return { standardMs, summer: null };
  const offsetMs = summer === undefined ? standardMs + 3_600_000 : 0 - msOf(summer);
  return { standardMs, summer: { offsetMs, begins: changeOf(begins), ends: changeOf(ends) } };
}

/** The changes of a year, in order. */
export function changesIn(year: number, { standardMs, summer }: PosixRule): readonly Change[] {
  if (summer === null) return [];
  const { begins, ends, offsetMs } = summer;
  const begin = { at: begins.dayIn(year) * DAY_MS + begins.timeMs - standardMs, offsetMs };
  const end = { at: ends.dayIn(year) * DAY_MS + ends.timeMs - offsetMs, offsetMs: standardMs };
  return begin.at < end.at ? [begin, end] : [end, begin];
}

function msOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.replace(/^[+-]/, "").split(":").map(Number);
  const ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return time.startsWith("-") ? -ms : ms;
}

function changeOf(text: string): YearlyChange {
  const [date = "", time = "2"] = text.split("/");
  return { dayIn: dayRule(date), timeMs: msOf(time) };
}

function dayRule(date: string): (year: number) => number {
  if (date.startsWith("M")) {
    const [month = 1, week = 1, weekday = 0] = date.slice(1).split(".").map(Number);
    return (year) => weekdayOf(year, month, week, weekday);
  }
  if (date.startsWith("J")) {
    const day = Number(date.slice(1));
    // 1 to 365: 29 February is never counted.
    return (year) => dayNumber(year, 1, 1) + day - 1 + (day > 59 && isLeap(year) ? 1 : 0);
  }
  return (year) => dayNumber(year, 1, 1) + Number(date);
}

/** Week 5 is the month's last. */
function weekdayOf(year: number, month: number, week: number, weekday: number): number {
  const first = dayNumber(year, month, 1);
  // 1970-01-01 was a Thursday.
  const day = first + ((weekday - ((first + 4) % 7) + 7) % 7) + (week - 1) * 7;
  return day < dayNumber(year, month + 1, 1) ? day : day - 7;
}

function dayNumber(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
