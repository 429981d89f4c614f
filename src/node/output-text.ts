import { exactText } from "../core/json/exact-numbers.ts";
import { MAX_OUTPUT_BYTES, OUTPUT_HEAD_CHARACTERS } from "./result-limits.ts";
import { NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";

/**
 * Permanent: the handler has done its work, and would do it again at each retry only to return the
 * same thing.
 */
class OutputError extends TypeError {
  override readonly name = "OutputError";
  readonly isPermanent = true;
}

/** What a handler returned, as JSON text, a BigInt with all its digits; null: nothing. Throws when JSON cannot carry it. */
export function outputText(output: unknown, scrubber: Scrubber = NOTHING_KNOWN): string | null {
  if (output === undefined) return null;
  let text: string | undefined;
  try {
    text = exactText(output);
  } catch (error) {
    throw new OutputError(
      "the handler returned what JSON cannot carry; return plain values, arrays and objects",
      {
        cause: error,
      },
    );
  }
  if (text === undefined) {
    const what = typeof output === "object" ? "an object whose toJSON gives nothing" : `a ${typeof output}`;
    throw new OutputError(
      `the handler returned ${what}, which JSON cannot carry; return a value, or nothing`,
    );
  }
  return limitedOutput(text, scrubber);
}

/** JSON text without secrets, and no longer than a row has room for. They are taken out before it is cut, which could split one. */
export function limitedOutput(given: string, scrubber: Scrubber): string {
  // Of a long one only the head is searched: its end is not kept.
  const text = isTooLong(given) ? given : scrubber.json(given);
  if (!isTooLong(text)) return text.isWellFormed() ? text : withEscapes(text);
  const head = scrubber.head(text, OUTPUT_HEAD_CHARACTERS).toWellFormed();
  return JSON.stringify({ truncated: true, characters: given.length, head });
}

/** Only `JSON.rawJSON` leaves half a character as it is, which UTF-8 cannot carry; JSON can, as its number. */
function withEscapes(text: string): string {
  return text.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

/** Counts bytes only when the number of characters leaves it open: at most three for each. */
function isTooLong(text: string): boolean {
  if (text.length * 3 <= MAX_OUTPUT_BYTES) return false;
  return text.length > MAX_OUTPUT_BYTES || Buffer.byteLength(text) > MAX_OUTPUT_BYTES;
}
