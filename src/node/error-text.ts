/** A part of an error as it is kept: without secrets, and no longer than a row has room for. */
import { CUT_MARK, MAX_ERROR_CHARACTERS } from "./result-limits.ts";
import type { Scrubber } from "./scrubber.ts";

/**
 * Secrets are taken out before it is cut, which could split one. It may have been cut before, by who knew other secrets: marks
 * can make it longer, and what it ends with may be left of one.
 */
export function errorText(given: string, scrubber: Scrubber): string {
  const wasCut = given.endsWith(CUT_MARK);
  const text = wasCut ? given.slice(0, -CUT_MARK.length) : given;
  const scrubbed = wasCut ? scrubber.cut(scrubber.text(text)) : scrubber.text(text);
  if (!wasCut && scrubbed.length <= MAX_ERROR_CHARACTERS) return scrubbed.toWellFormed();
  return `${scrubbed.slice(0, MAX_ERROR_CHARACTERS).toWellFormed()}${CUT_MARK}`;
}
