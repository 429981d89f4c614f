/**
 * The grammar of docs/jobs.md, read a second time: here each expression is made together with what it means, and its
 * days are looked at one by one.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCron } from "../../../../src/core/calendar/cron.ts";

const DAY_MS = 86_400_000;
const DAY_NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTH_NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const SEED = { seed: 13, numRuns: 1000 };

interface Day {
  readonly date: number;
  readonly month: number;
  readonly weekday: number;
  readonly daysInMonth: number;
}

interface Meant<T> {
  readonly text: string;
  readonly has: (value: T) => boolean;
}

function dayOf(day: number): Day {
  const date = new Date(day * DAY_MS);
  return {
    date: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay(),
    daysInMonth: new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  };
}

/** Numbers, ranges, steps; `spell` writes a number. */
function values(least: number, most: number, spell: fc.Arbitrary<(value: number) => string>) {
  const number = fc.integer({ min: least, max: most });
  const step = fc.integer({ min: 1, max: most - least + 1 });
  const range = fc
    .tuple(number, number, spell)
    .map(([one, other, spelled]) => [Math.min(one, other), Math.max(one, other), spelled] as const);
  const item: fc.Arbitrary<Meant<number>> = fc.oneof(
    fc.tuple(number, spell).map(([value, spelled]) => ({
      text: spelled(value),
      has: (given: number) => given === value,
    })),
    range.map(([first, last, spelled]) => ({
      text: `${spelled(first)}-${spelled(last)}`,
      has: (given: number) => given >= first && given <= last,
    })),
    fc.tuple(range, step).map(([[first, last, spelled], by]) => ({
      text: `${spelled(first)}-${spelled(last)}/${by}`,
      has: (given: number) => given >= first && given <= last && (given - first) % by === 0,
    })),
    step.map((by) => ({
      text: `*/${by}`,
      has: (given: number) => given >= least && given <= most && (given - least) % by === 0,
    })),
  );
  return item;
}

function listOf<T>(item: fc.Arbitrary<Meant<T>>): fc.Arbitrary<Meant<T>> {
  const every = fc.constantFrom("*", "?").map((text) => ({ text, has: () => true }));
  const list = fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => ({
    text: items.map(({ text }) => text).join(),
    has: (value: T) => items.some(({ has }) => has(value)),
  }));
  return fc.oneof({ arbitrary: every, weight: 1 }, { arbitrary: list, weight: 3 });
}

const plain = fc.constantFrom(
  (value: number) => String(value),
  (value: number) => String(value).padStart(2, "0"),
);

function cased(text: string): fc.Arbitrary<string> {
  return fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((isLow) =>
      [...text].map((letter, index) => (isLow[index] ? letter.toLowerCase() : letter)).join(""),
    );
}

function named(names: readonly string[], least: number) {
  const byName = fc
    .tuple(...names.map(cased))
    .map((spelled) => (value: number) => spelled[value - least] ?? String(value));
  return fc.oneof(plain, byName);
}

const dayNumber = fc.integer({ min: 1, max: 31 });
const daysOfMonth = fc.oneof(
  {
    weight: 6,
    arbitrary: listOf<Day>(
      fc.oneof(
        {
          weight: 3,
          arbitrary: values(1, 31, plain).map(({ text, has }) => ({
            text,
            has: ({ date }: Day) => has(date),
          })),
        },
        cased("L").map((text) => ({ text, has: ({ date, daysInMonth }: Day) => date === daysInMonth })),
        fc.tuple(dayNumber, cased("W")).map(([near, letter]) => ({
          text: `${near}${letter}`,
          has: (day: Day) => day.date === nearestWeekday(near, day),
        })),
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: cased("LW").map((text) => ({ text, has: (day: Day) => day.date === lastWeekday(day) })),
  },
);

function weekdayOn(date: number, { date: known, weekday }: Day): number {
  return (((weekday + date - known) % 7) + 7) % 7;
}

/** Of Monday to Friday, within the month; undefined: the month has no such day. */
function nearestWeekday(near: number, day: Day): number | undefined {
  if (near > day.daysInMonth) return undefined;
  const distances = [0, -1, 1, -2, 2].map((distance) => near + distance);
  return distances.find((date) => {
    const weekday = weekdayOn(date, day);
    return date >= 1 && date <= day.daysInMonth && weekday >= 1 && weekday <= 5;
  });
}

function lastWeekday(day: Day): number {
  let date = day.daysInMonth;
  while (weekdayOn(date, day) % 6 === 0) date--;
  return date;
}

const weekdayNumber = fc.integer({ min: 0, max: 7 });
const weekday = fc.oneof(
  weekdayNumber.map((value) => ({ text: String(value), value: value % 7 })),
  fc
    .integer({ min: 0, max: 6 })
    .chain((value) => cased(DAY_NAMES[value] ?? "").map((text) => ({ text, value }))),
);
// Written by names, the week is cut at Sunday's two ends: SUN-TUE, FRI-SUN, SUN-SUN.
const weekRange = fc
  .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }))
  .filter(([first, last]) => first <= last && (first !== 0 || last !== 7))
  .map(([first, last]) => ({
    text: `${DAY_NAMES[first % 7]}-${DAY_NAMES[last % 7]}`,
    has: ({ weekday: day }: Day) => (day >= first && day <= last) || (day === 0 && last === 7),
  }));
const numberRange = fc
  .tuple(weekdayNumber, weekdayNumber)
  .filter(([first, last]) => first <= last)
  .map(([first, last]) => ({
    text: `${first}-${last}`,
    has: ({ weekday: day }: Day) => (day >= first && day <= last) || (day === 0 && last === 7),
  }));
const daysOfWeek = listOf<Day>(
  fc.oneof(
    values(0, 6, named(DAY_NAMES, 0))
      // "SUN" ends a range as the seventh day: those are above.
      .map(({ text, has }) => ({ text, has: (day: Day) => has(day.weekday) })),
    weekRange,
    numberRange,
    fc.tuple(weekday, fc.integer({ min: 1, max: 5 })).map(([{ text, value }, nth]) => ({
      text: `${text}#${nth}`,
      has: (day: Day) => day.weekday === value && Math.ceil(day.date / 7) === nth,
    })),
    fc.tuple(weekday, cased("L")).map(([{ text, value }, letter]) => ({
      text: `${text}${letter}`,
      has: (day: Day) => day.weekday === value && day.date + 7 > day.daysInMonth,
    })),
  ),
);
const months = listOf(values(1, 12, named(MONTH_NAMES, 1)));

const anyDay = fc.integer({ min: 0, max: 2_932_000 });

/** Vixie: two restricted day fields mean either, unless one begins with `*`. */
function isNamed(day: Day, dom: Meant<Day>, month: Meant<number>, dow: Meant<Day>): boolean {
  if (!month.has(day.month)) return false;
  const both = [dom, dow].some(({ text }) => /^[*?]/.test(text));
  return both ? dom.has(day) && dow.has(day) : dom.has(day) || dow.has(day);
}

describe("by an independent reading of the grammar", { timeout: 120_000 }, () => {
  test("an expression comes on the days that it names", () => {
    const property = fc.property(daysOfMonth, months, daysOfWeek, anyDay, (dom, month, dow, from) => {
      const expression = `0 0 ${dom.text} ${month.text} ${dow.text}`;
      const parsed = parseCron(expression);
      const days = Array.from({ length: 120 }, (_, index) => from + index);
      const expected = days.filter((day) => isNamed(dayOf(day), dom, month, dow));
      if ("error" in parsed) {
        expect(parsed.error).toContain("never comes");
        expect(expected).toEqual([]);
        return;
      }
      const found = days.filter((day) => parsed.times.next(day * DAY_MS) === day * DAY_MS);
      expect({ expression, found }).toEqual({ expression, found: expected });
    });
    fc.assert(property, SEED);
  });

  test("and at the times of day that it names", () => {
    const times = fc.tuple(
      listOf(values(0, 59, plain)),
      listOf(values(0, 59, plain)),
      listOf(values(0, 23, plain)),
    );
    const second = fc.integer({ min: 0, max: 86_399 });
    const property = fc.property(times, second, ([seconds, minutes, hours], at) => {
      const expression = `${seconds.text} ${minutes.text} ${hours.text} * * *`;
      const parsed = parseCron(expression);
      if ("error" in parsed) throw new Error(parsed.error);
      const isNamedTime =
        seconds.has(at % 60) && minutes.has(Math.floor(at / 60) % 60) && hours.has(Math.floor(at / 3600));
      const found = parsed.times.next(at * 1000) === at * 1000;
      expect({ expression, found }).toEqual({ expression, found: isNamedTime });
    });
    fc.assert(property, SEED);
  });

  // The same grammar as regular expressions; numbers are looked at for their ranges.
  const number = (least: number, most: number) =>
    Array.from({ length: most - least + 1 }, (_, index) => index + least)
      .map((value) => (value < 10 ? `0?${value}` : String(value)))
      .join("|");
  const field = (least: number, most: number, names: readonly string[], steps: number, special: string) => {
    const inDigits = `(?:${number(least, most)})`;
    const spelled = names.length === 0 ? inDigits : `(?:${names.join("|")})`;
    const step = `(?:/(?:${number(1, steps)}))`;
    const range = `(?:${inDigits}-${inDigits}|${spelled}-${spelled})${step}?`;
    const item = `(?:\\*${step}|${range}|${inDigits}|${spelled}${special})`;
    return `(?:[*?]|${item}(?:,${item})*)`;
  };
  const anyWeekday = `(?:${number(0, 7)}|${DAY_NAMES.join("|")})`;
  const minuteField = field(0, 59, [], 60, "");
  const dayField = `(?:LW|${field(1, 31, [], 31, `|L|(?:${number(1, 31)})W`)})`;
  const weekdayField = field(0, 7, DAY_NAMES, 7, `|${anyWeekday}(?:#[1-5]|L)`);
  const monthField = field(1, 12, MONTH_NAMES, 12, "");
  const grammar = new RegExp(
    `^(?:(?:${minuteField} )?${minuteField} ${field(0, 23, [], 24, "")} ${dayField} ${monthField} ${weekdayField}|@(?:yearly|annually|monthly|weekly|daily|midnight|hourly))$`,
    "i",
  );

  /** Not regular: a range that ends before it begins. FRI-SUN ends with the week. */
  function hasBackwardRange(expression: string): boolean {
    for (const [, from = "", to = ""] of expression.toUpperCase().matchAll(/(\w+)-(\w+)/g)) {
      const names = [DAY_NAMES, MONTH_NAMES].find((some) => some.includes(from));
      const [first, last] = [from, to].map((end) => names?.indexOf(end) ?? Number(end));
      if ((first ?? 0) > (last ?? 0) && to !== "SUN") return true;
    }
    return false;
  }

  test("what is not in the grammar is refused, and what is in it is not", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ..."*?LW#,-/+ 057".split(""),
        ...DAY_NAMES,
        "JAN",
        "FEB",
        "DEC",
        "@daily",
        "ſun",
        "\u00b2",
      ),
      fc.integer({ min: 0, max: 64 }).map(String),
    );
    const fieldText = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom("*", "0", "1-5", "SUN-SUN", "L", "15W", "MON#2", "5L", "LW", "3,4"),
      },
      {
        weight: 2,
        arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join("")),
      },
    );
    const expressions = fc.array(fieldText, { minLength: 5, maxLength: 6 }).map((fields) => fields.join(" "));
    const property = fc.property(expressions, (expression) => {
      const parsed = parseCron(expression);
      const spaced = expression.trim().replaceAll(/ +/g, " ");
      const error = "error" in parsed && !parsed.error.includes("never comes") ? parsed.error : null;
      const isInGrammar = grammar.test(spaced) && !hasBackwardRange(spaced);
      expect({ expression, error, isAccepted: error === null }).toEqual({
        expression,
        error,
        isAccepted: isInGrammar,
      });
    });
    fc.assert(property, { ...SEED, numRuns: 20_000 });
  });
});

describe("on every day of the year", () => {
  test.each([
    ["0 0 * * SUN-SUN", "0 0 * * 0"],
    ["0 0 * * SUN-SUN", "0 0 * * 7-7"],
    ["0 0 * * fri-sun", "0 0 * * 5,6,0"],
    ["@weekly", "0 0 * * SUN"],
    ["@Daily", "0 0 * * *"],
    ["@hourly", "0 * * * *"],
    ["@monthly", "0 0 1 * *"],
    ["@yearly", "0 0 1 JAN *"],
  ])("%s is %s", (one, other) => {
    const times = [one, other].map((expression) => {
      const parsed = parseCron(expression);
      if ("error" in parsed) throw new Error(parsed.error);
      const found: (number | null)[] = [];
      for (let local = 0; local < 400 * DAY_MS; local += DAY_MS / 2) found.push(parsed.times.next(local));
      return found;
    });
    expect(times[0]).toEqual(times[1]);
  });
});

test("an expression goes on after the year 3000, as before", () => {
  const parsed = parseCron("0 0 29 2 *");
  if ("error" in parsed) throw new Error(parsed.error);
  expect(parsed.times.next(Date.parse("3000-01-01T00:00:00Z"))).toBe(Date.parse("3004-02-29T00:00:00Z"));
  expect(parsed.times.next(Date.parse("9996-03-01T00:00:00Z"))).toBe(Date.parse("+010000-02-29T00:00:00Z"));
});
