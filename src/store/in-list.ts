/**
 * Lists of values in a statement. Their lengths are padded to powers of two by repeating the last
 * value, so that few statement texts exist and each can stay prepared.
 */
import type { SqlValue } from "./dialect.ts";

const LONGEST_LIST = 1024;

/** Splits into lists of at most LONGEST_LIST. */
export function chunks<T>(items: readonly T[], size: number = LONGEST_LIST): (readonly T[])[] {
  if (items.length <= size) return items.length === 0 ? [] : [items];
  const parts: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}

function paddedLength(length: number): number {
  let power = 1;
  while (power < length) power *= 2;
  return power;
}

/** `?, ?, …` */
export function marks(count: number): string {
  return "?, ".repeat(count - 1).concat("?");
}

/** `(?, ?), (?, ?), …` */
export function rowMarks(columns: number, count: number): string {
  const row = `(${marks(columns)})`;
  return `${row}, `.repeat(count - 1).concat(row);
}

/** The values of one column, padded. */
export function padded(values: readonly SqlValue[]): SqlValue[] {
  const result = values.slice();
  const last = result[result.length - 1];
  if (last === undefined) return result;
  for (let missing = paddedLength(result.length) - result.length; missing > 0; missing--) result.push(last);
  return result;
}

/**
 * That `id` is one of these, which are in order and each there once. Jobs that are added together have ids one after
 * another, and end together as a rule: few ranges cost the server half of what a list does.
 *
 * It is made for UPDATEs: a range passes over a row that another transaction has locked, unless the row matches as it was committed,
 * where a list would wait. So the rest of the condition must ask only for what is committed already.
 */
export function isOneOf(ids: readonly number[]): { readonly sql: string; readonly values: SqlValue[] } {
  const ends: SqlValue[] = [];
  for (const [index, id] of ids.entries()) {
    const before = ids[index - 1];
    if (before === id - 1) ends[ends.length - 1] = id;
    else ends.push(id, id);
  }
  if (ends.length > ids.length / 2) {
    const values = padded(ids);
    return { sql: `id IN (${marks(values.length)})`, values };
  }
  const values = paddedRows(ends, 2);
  const range = "id BETWEEN ? AND ?";
  return { sql: `(${range}${` OR ${range}`.repeat(values.length / 2 - 1)})`, values };
}

/** Pads a flat list of rows by repeating the last row. */
export function paddedRows(values: SqlValue[], columns: number): SqlValue[] {
  const count = values.length / columns;
  const lastRow = values.slice(-columns);
  const result = values.slice();
  for (let missing = paddedLength(count) - count; missing > 0; missing--) result.push(...lastRow);
  return result;
}
