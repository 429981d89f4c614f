/** What is wrong in a payload, in words: what was given, shortly, and what is accepted. */
import { shorten } from "../core/short-text.ts";

const MAX_SHOWN_CHARACTERS = 80;

/** `accepted`: such as "text is", "times and message are". */
export function instead(given: unknown, accepted: string): string {
  return `is ${shorten(JSON.stringify(given) ?? String(given), MAX_SHOWN_CHARACTERS)}; ${accepted} accepted`;
}

export const TRUE_OR_FALSE = "true or false is";
export const TEXT = "text is";

export function notAnObject(given: unknown, fields: readonly string[]): string {
  return instead(given, `an object with ${listed(fields)} is`);
}

export function notKnown(fields: readonly string[]): string {
  return `is not known; ${listed(fields)} are accepted`;
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
