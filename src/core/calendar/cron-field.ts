/**
 * One field of a cron expression, read by the grammar of docs/jobs.md. What is not in it is refused: croner, which
 * looks for the days, takes more than that, and some of it means something else than it seems to (`SUN-SUN` every day).
 * So croner is only given what was read here, in numbers.
 */

export interface FieldRule {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** In the order of their numbers, from `least` on. */
  readonly names: readonly string[];
  readonly accepted: string;
  /** What only this field has, as croner is to read it; null: it is no such thing. */
  readonly special?: (item: string) => string | null;
}

export interface CronField {
  /** Null: every one. */
  readonly values: ReadonlySet<number> | null;
  /** What croner knows of `L`, `W` and `#`. */
  readonly specials: readonly string[];
  /** Whether it begins with `*`. */
  readonly isWild: boolean;
}

export const SECOND: FieldRule = { name: "second", least: 0, most: 59, names: [], accepted: "0-59" };
export const MINUTE: FieldRule = { name: "minute", least: 0, most: 59, names: [], accepted: "0-59" };
export const HOUR: FieldRule = { name: "hour", least: 0, most: 23, names: [], accepted: "0-23" };
export const DAY_OF_MONTH: FieldRule = {
  name: "day of month",
  least: 1,
  most: 31,
  names: [],
  accepted: "1-31, L (the last day), 15W (the weekday nearest to the 15th) or LW alone (the last weekday)",
  special(item) {
    if (item === "L") return item;
    const day = item.endsWith("W") ? numberOf(item.slice(0, -1), DAY_OF_MONTH) : null;
    return day === null ? null : `${day}W`;
  },
};
export const MONTH: FieldRule = {
  name: "month",
  least: 1,
  most: 12,
  names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
  accepted: "1-12 or JAN-DEC",
};
export const DAY_OF_WEEK: FieldRule = {
  name: "day of week",
  least: 0,
  most: 6,
  names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
  accepted: "0-7 or SUN-SAT, MON#2 (the second Monday) or FRIL (the last Friday)",
  special(item) {
    const [, text = "", which = ""] = /^(.+)(#[1-5]|L)$/.exec(item) ?? [];
    const day = numberOf(text, DAY_OF_WEEK);
    return day === null ? null : `${day % 7}${which}`;
  },
};
/** Sunday's second number. */
const SUNDAY = 7;

const FORMS = "alone, in lists (1,2), in ranges (1-5) and with steps (*/2, 1-5/2)";

export const EVERY: CronField = { values: null, specials: [], isWild: true };

/** `text` in capitals. A string says what is wrong with it, and what would be accepted. */
export function readCronField(text: string, rule: FieldRule): CronField | string {
  if (text === "*" || text === "?") return EVERY;
  // It goes with nothing else: croner knows it only alone.
  if (text === "LW" && rule === DAY_OF_MONTH) return { values: new Set(), specials: [text], isWild: false };
  const values = new Set<number>();
  const specials: string[] = [];
  for (const item of text.split(",")) {
    const special = rule.special?.(item) ?? null;
    const problem = special === null ? addValues(item, rule, values) : null;
    if (problem !== null) return problem;
    if (special !== null) specials.push(special);
  }
  return { values, specials, isWild: text.startsWith("*") };
}

/** One item of a list. Returns what is wrong with it. */
function addValues(item: string, rule: FieldRule, values: Set<number>): string | null {
  const { least, most } = rule;
  const [base = "", ...steps] = item.split("/");
  const [step = "1"] = steps;
  if (steps.length > 1 || !/^\d\d?$/.test(step)) return notRead(rule);
  const by = Number(step);
  const size = most - least + 1;
  if (by < 1 || by > size) return `has a step of ${by}; 1 to ${size} is accepted`;
  if (base === "*" && steps.length === 0) return "has * in a list; * alone stands for all values";
  const range = base === "*" ? { first: least, last: most } : readRange(base, rule);
  if (typeof range === "string") return range;
  if (steps.length > 0 && base !== "*" && !base.includes("-")) {
    return `has a step of a single value; */${by} or a range such as ${base}-${nameOf(most, rule)}/${by} is accepted`;
  }
  for (let value = range.first; value <= range.last; value += by) {
    values.add(rule === DAY_OF_WEEK ? value % 7 : value);
  }
  return null;
}

/** A value alone, too. A string says what is wrong. */
function readRange(text: string, rule: FieldRule): { first: number; last: number } | string {
  const [from = "", to = from, ...more] = text.split("-");
  const first = numberOf(from, rule);
  const last = numberOf(to, rule);
  if (more.length > 0 || first === null || last === null) {
    return /^\d+(-\d+)?$/.test(text) ? `is out of range; ${rule.accepted} is accepted` : notRead(rule);
  }
  const isByName = rule.names.includes(from);
  if (isByName !== rule.names.includes(to)) {
    return "has a range between a name and a number; two names or two numbers are accepted";
  }
  // FRI-SUN goes on to the end of the week, and SUN-SUN is one day.
  const end = isByName && rule === DAY_OF_WEEK && last === 0 && first > 0 ? SUNDAY : last;
  if (first <= end) return { first, last: end };
  const [least, most] = isByName
    ? [nameOf(rule.least, rule), nameOf(rule.most, rule)]
    : [rule.least, rule.most];
  const around = from === String(most) ? from : `${from}-${most}`;
  return `has a range that ends before it begins; two are accepted (${around},${to === String(least) ? to : `${least}-${to}`})`;
}

function notRead({ accepted }: FieldRule): string {
  return `is not read; ${accepted} is accepted, ${FORMS}`;
}

function numberOf(text: string, rule: FieldRule): number | null {
  const named = rule.names.indexOf(text);
  if (named >= 0) return named + rule.least;
  if (!/^\d\d?$/.test(text)) return null;
  const value = Number(text);
  return value >= rule.least && value <= (rule === DAY_OF_WEEK ? SUNDAY : rule.most) ? value : null;
}

function nameOf(value: number, { names, least }: FieldRule): string {
  return names[value - least] ?? String(value);
}
