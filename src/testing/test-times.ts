/** Durations and moments as tests write them. What is wrong with one is told with the name of what it was given to. */
import { DURATION_EXAMPLES, durationOfText } from "../core/duration-text.ts";
import { quote } from "../core/errors.ts";

/** Milliseconds, or a text such as "24h", "1h30m" or "500ms". */
export type TestDuration = number | string;
/** A `Date`, epoch milliseconds, or a text such as "2026-03-28T00:00:00Z". */
export type TestMoment = Date | number | string;

/** Of an instant that has no offset, nobody knows when it is. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

export function msOf(field: string, duration: TestDuration): number {
  const ms = typeof duration === "string" ? durationOfText(duration) : duration;
  if (typeof ms === "number" && Number.isFinite(ms) && ms >= 0) return ms;
  throw new TypeError(
    `${field}: ${shown(duration)} is no duration; milliseconds are accepted, or ${DURATION_EXAMPLES}`,
  );
}

/** In epoch milliseconds. */
export function instantOf(field: string, moment: TestMoment): number {
  const isOdd = typeof moment === "string" && !INSTANT.test(moment);
  const ms = isOdd ? Number.NaN : new Date(moment).getTime();
  if (Number.isFinite(ms)) return ms;
  throw new TypeError(
    `${field}: ${shown(moment)} is no moment; a Date is accepted, epoch milliseconds, or a text such as "2026-03-28T00:00:00Z"`,
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? quote(value) : String(value);
}
