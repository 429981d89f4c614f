/**
 * JSON's numbers have no bound, and JavaScript's are doubles: what a double does not hold (integers beyond 2^53, more than 17
 * digits, -0 once it is written again) stays text here. Most texts have no such number, and a look at each tells that.
 */
import { ElasticJobError } from "../errors.ts";
import { shorten } from "../short-text.ts";
import { endOfString } from "./json-strings.ts";

/** Digits that always come back as they were are one fewer. */
const MANY = 16;
/** What is before a number that is no part of a name or a string, nor the power of another. */
const BEFORE = ":,[ \t\n\r";
/** A power of three digits may be out of reach; the first is quick, and alone finds hashes too. */
const FAR = /\d[eE][+-]?\d{3}/;
const FAR_NUMBER = /(?:^|[:,[\s])-?[\d.]+[eE][+-]?\d{3}/;
const MINUS_ZERO = /[:,[\s]-0(?!\.\d*[1-9])/;
const NUMBERS = /-?\d[\d.eE+-]*/g;

/** False: it has none, for sure. It is quick, and has to be: each payload that comes in is asked. */
export function mayBeInexact(text: string): boolean {
  return (
    hasLongNumber(text) ||
    (FAR.test(text) && FAR_NUMBER.test(text)) ||
    MINUS_ZERO.test(text) ||
    text.startsWith("-0")
  );
}

/** As `/(?:^|[:,[\s])-?[\d.]{16}/` finds it, but with a look at each sixteenth character. */
function hasLongNumber(text: string): boolean {
  for (let at = MANY - 1; at < text.length; at += MANY) {
    if (!isOfNumber(text.charCodeAt(at))) continue;
    let start = at;
    while (isOfNumber(text.charCodeAt(start - 1))) start--;
    let end = at + 1;
    while (isOfNumber(text.charCodeAt(end))) end++;
    const before = text[start - 1] === "-" ? start - 2 : start - 1;
    if (end - start >= MANY && (before < 0 || BEFORE.includes(text[before] ?? ""))) return true;
    at = end - 1;
  }
  return false;
}

/** A digit or a point; not what lies outside of a text, which is NaN. */
function isOfNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}

/** Whether JSON text has a number that a double does not hold as it is written. */
export function hasInexactNumber(text: string): boolean {
  if (!mayBeInexact(text)) return false;
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const part = text.slice(at, quote === -1 ? text.length : quote);
    for (const [number] of part.matchAll(NUMBERS)) {
      if (!isExact(number)) return true;
    }
    at = quote === -1 ? text.length : endOfString(text, quote);
  }
  return false;
}

/** As `JSON.parse`, but numbers that a double does not hold become what `JSON.stringify` writes as they were. */
export function parseExact(text: string): unknown {
  if (!mayBeInexact(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    return typeof value !== "number" || source === undefined || isExact(source) ? value : rawJson(source);
  });
}

/** JSON text as of `JSON.stringify`, in which a BigInt is a number, with all its digits. */
export function exactText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch (error) {
    // Of a BigInt, perhaps: a cycle is refused again.
    if (error instanceof TypeError) return textWithDigits(value);
    throw error;
  }
}

/** The same where there may be a -0, which JSON knows, and `JSON.stringify` does not. */
export function textWithDigits(value: unknown): string | undefined {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return rawJson(String(item));
    return Object.is(item, -0) ? rawJson("-0") : item;
  }) as string | undefined;
}

export function hasNegativeZero(json: unknown): boolean {
  if (typeof json === "number") return Object.is(json, -0);
  return typeof json === "object" && json !== null && Object.values(json).some(hasNegativeZero);
}

/** A value that is written as this number. TypeScript's library does not know it yet, and older engines, in which the client runs, never will. */
function rawJson(source: string): unknown {
  const json: JSON & { rawJSON?(text: string): unknown } = JSON;
  if (json.rawJSON === undefined) {
    throw new ElasticJobError(
      "invalid_argument",
      `${shorten(source, 40)}: a bigint can't be written by this JavaScript engine, which has no JSON.rawJSON (Node has it from 21 on); a number, or JSON text in payloadJson, is accepted`,
    );
  }
  return json.rawJSON(source);
}

function isExact(source: string): boolean {
  if (!mayBeInexact(source)) return true;
  const value = Number(source);
  return Number.isFinite(value) && decimalOf(source) === decimalOf(String(value));
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Equal for texts of the same number, sign included. */
export function decimalOf(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const digits = whole + fraction;
  let first = 0;
  while (digits[first] === "0") first++;
  let end = digits.length;
  while (end > first && digits[end - 1] === "0") end--;
  const power = end === first ? 0 : Number(exponent) - fraction.length + (digits.length - end);
  return `${sign}${digits.slice(first, end)}e${power}`;
}
