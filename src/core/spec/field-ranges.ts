/** What numbers the fields of requests take, by the names that callers know: one table for the checks and for the words. */
const MAX_INT32 = 2_147_483_647;

export interface Range {
  readonly least: number;
  readonly most: number;
}

export const FIELD_RANGES = {
  priority: { least: -100, most: 100 },
  /** Finding the last one takes a step for each: no more than a caller may wait for. */
  maxOccurrences: { least: 1, most: 10_000 },
  maxAttempts: { least: 0, most: MAX_INT32 },
  multiplier: { least: 1, most: 100 },
  slots: { least: 1, most: MAX_INT32 },
  memoryMb: { least: 0, most: MAX_INT32 },
  revision: { least: 0, most: MAX_INT32 },
  /** Of a page; 0: the default. */
  pageSize: { least: 0, most: 1000 },
  /** Of occurrences that are looked ahead at; 0: the default. */
  count: { least: 0, most: 1000 },
} as const satisfies Readonly<Record<string, Range>>;

/** Null: the field has no range of its own. */
export function rangeOf(jsonName: string): Range | null {
  return Object.hasOwn(FIELD_RANGES, jsonName) ? FIELD_RANGES[jsonName as keyof typeof FIELD_RANGES] : null;
}
