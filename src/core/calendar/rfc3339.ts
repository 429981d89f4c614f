/**
 * Instants as text: RFC 3339, as protobuf's JSON takes it. The decoder of protobuf only looks at the shape, and has
 * Date.parse move what does not exist (30 February to 2 March, 24:00 to the next day): so texts are checked first.
 */

const SHAPE = /^(\d{4})-(\d\d)-(\d\d)([Tt])(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|[+-](\d\d):(\d\d))?$/;
/** Nothing more can be said of it. */
export const NO_INSTANT = "which is no RFC 3339 time";
const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");
const LAST_MS = Date.parse("9999-12-31T23:59:59Z");

/** What is wrong with a text as an instant; null: nothing. */
export function instantProblem(text: string): string | null {
  const match = SHAPE.exec(text);
  if (match === null) return NO_INSTANT;
  const [, year = "", month = "", day = "", t, hour = "", minute = "", second = "", fraction = "", z] = match;
  const [offsetHour, offsetMinute] = [match[10], match[11]];
  if (t === "t" || z === "z") return "with a small t or z, which have to be capitals";
  if (z === undefined && offsetHour === undefined)
    return "which has no time zone: Z, or an offset such as +02:00";
  const days = daysIn(Number(year), Number(month));
  if (days === null) return "whose month does not exist";
  if (Number(day) < 1 || Number(day) > days) return `a day that does not exist: ${year}-${month} has ${days}`;
  if (Number(hour) > 23) return "whose hour does not exist: 00 to 23 do";
  if (Number(minute) > 59) return "whose minute does not exist: 00 to 59 do";
  if (Number(second) > 59) return "whose second is none that can be kept: 00 to 59 are, a leap second is not";
  if (fraction.length > 9) return `with ${fraction.length} decimals: up to 9 can be kept`;
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) {
    return "whose offset does not exist: up to 23:59 does";
  }
  const ms = Date.parse(text.replace(/\.\d+/, ""));
  // Date.parse reads every year of four digits that came so far.
  return ms >= FIRST_MS && ms <= LAST_MS ? null : "which is not in the years 0001 to 9999 in UTC";
}

function daysIn(year: number, month: number): number | null {
  if (month < 1 || month > 12) return null;
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
