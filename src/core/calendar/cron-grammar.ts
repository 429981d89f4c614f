/** What a cron expression says, by the grammar of docs/jobs.md: five fields, six, or a macro. */
import { quote } from "../errors.ts";
import {
  type CronField,
  DAY_OF_MONTH,
  DAY_OF_WEEK,
  EVERY,
  type FieldRule,
  HOUR,
  MINUTE,
  MONTH,
  readCronField,
  SECOND,
} from "./cron-field.ts";

export interface CronFields {
  /** As 0s and 1s: whether the second, minute or hour of that number is named. */
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Day of month, month and day of week, as croner reads them. */
  readonly days: string;
  readonly isEveryDay: boolean;
  /** Which of them begin with `*`. */
  readonly isWild: { readonly time: boolean; readonly hour: boolean; readonly day: boolean };
}

const FIVE = [MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK];
const SIX = [SECOND, ...FIVE];

const MACROS: ReadonlyMap<string, string> = new Map([
  ["@YEARLY", "0 0 1 1 *"],
  ["@ANNUALLY", "0 0 1 1 *"],
  ["@MONTHLY", "0 0 1 * *"],
  ["@WEEKLY", "0 0 * * 0"],
  ["@DAILY", "0 0 * * *"],
  ["@MIDNIGHT", "0 0 * * *"],
  ["@HOURLY", "0 * * * *"],
]);

/** In an `error`: what is wrong, and what would be accepted. */
export function readCronFields(expression: string): CronFields | { readonly error: string } {
  // Not toUpperCase(), which makes ASCII letters of others, too: of the long s in "ſun", say.
  const capitals = expression.trim().replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
  const macro = MACROS.get(capitals);
  if (macro === undefined && capitals.startsWith("@")) {
    const accepted = [...MACROS.keys()].join(", ").toLowerCase();
    return { error: `${quote(expression)} is no macro; one of ${accepted} is accepted` };
  }
  const texts = (macro ?? capitals).split(/\s+/).filter((text) => text !== "");
  const rules = texts.length === SIX.length ? SIX : FIVE;
  if (texts.length !== rules.length) {
    return {
      error: `${quote(expression)} has ${texts.length} ${texts.length === 1 ? "field" : "fields"}; five (minute hour day month weekday) or six (with leading seconds) are accepted`,
    };
  }
  const problems: string[] = [];
  const read = (rule: FieldRule): CronField => {
    const index = rules.indexOf(rule);
    const text = texts[index] ?? "0";
    const field = readCronField(text, rule);
    if (typeof field !== "string") return field;
    problems.push(`${rule.name} (field ${index + 1} of ${rules.length}) ${quote(text)} ${field}`);
    return EVERY;
  };
  const [second, minute, hour] = [read(SECOND), read(MINUTE), read(HOUR)];
  const days = [read(DAY_OF_MONTH), read(MONTH), read(DAY_OF_WEEK)] as const;
  if (problems.length > 0) return { error: problems.join("; ") };
  const [dayOfMonth, , dayOfWeek] = days;
  return {
    seconds: flagsOf(second, SECOND),
    minutes: flagsOf(minute, MINUTE),
    hours: flagsOf(hour, HOUR),
    days: days.map(textOf).join(" "),
    isEveryDay: days.every(({ values }) => values === null),
    isWild: {
      time: second.isWild || minute.isWild || hour.isWild,
      hour: hour.isWild,
      day: dayOfMonth.isWild || dayOfWeek.isWild,
    },
  };
}

function flagsOf({ values }: CronField, { most }: FieldRule): readonly number[] {
  return Array.from({ length: most + 1 }, (_, value) => (values === null || values.has(value) ? 1 : 0));
}

function textOf({ values, specials }: CronField): string {
  return values === null ? "*" : [...values, ...specials].join();
}
