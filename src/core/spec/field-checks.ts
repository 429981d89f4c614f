/** Checks of single values that several fields share. They return true when the value is accepted. */
import type { Problem } from "../errors.ts";
import type { Range } from "./field-ranges.ts";

/** A hundred years of 365.25 days: longer is a slip of the keyboard, and sums stay safe integers. */
const MAX_DURATION_MS = 36_525 * 86_400_000;

export function integerProblem(
  field: string,
  value: number,
  { least, most }: Range,
  problems: Problem[],
): boolean {
  if (Number.isInteger(value) && value >= least && value <= most) return true;
  problems.push({ field, message: `is ${value}; a whole number from ${least} to ${most} is accepted` });
  return false;
}

/** `leastMs`: of 1, callers are told that more than 0 is accepted, as a duration may have finer fractions. */
export function durationProblem(field: string, ms: number, leastMs: number, problems: Problem[]): boolean {
  if (Number.isSafeInteger(ms) && ms >= leastMs && ms <= MAX_DURATION_MS) return true;
  const least = leastMs === 1 ? "more than 0s" : `${leastMs / 1000}s`;
  problems.push({
    field,
    message: `is ${ms / 1000}s; ${least} up to ${MAX_DURATION_MS / 1000}s is accepted`,
  });
  return false;
}

export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
