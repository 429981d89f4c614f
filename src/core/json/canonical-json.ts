/** JSON text by which two payloads can be told to be the same: keys in one order, no spaces, each number in one way. */
import { decimalOf, parseExact } from "./exact-numbers.ts";

/** What is no JSON stands for itself. */
export function canonicalJson(text: string): string {
  try {
    return textOf(parseExact(text));
  } catch {
    return text;
  }
}

/** Built as text: an object with its keys in order would lose one that is named `__proto__`. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (isLongNumber(value)) return decimalOf(JSON.stringify(value));
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`).join()}}`;
}

/** Whether it is a number that a double does not hold. TypeScript's library does not know the question yet. */
function isLongNumber(value: object): boolean {
  return (JSON as JSON & { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}
