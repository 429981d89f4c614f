/** Which JSON a google.protobuf.Value carries as it is. */
import { hasInexactNumber, parseExact } from "./exact-numbers.ts";
import { findFault, mayHoldSurrogates } from "./json-faults.ts";

/**
 * Protobuf implementations give up at 100 nested messages, and each JSON object takes three (Value,
 * Struct, map entry). Deeper ones would be accepted as JSON and then break for gRPC clients.
 */
export const MAX_VALUE_LEVELS = 30;

/** The JSON for a Value; null: a Value would change it, or cannot carry it. Throws for text that is no JSON. */
export function jsonForValue(text: string): { readonly json: unknown } | null {
  const json: unknown = JSON.parse(text);
  return !hasInexactNumber(text) && fitsValue(json, text) ? { json } : null;
}

/** What stands for the text in JSON, with all its digits; undefined: readers of a Value could not take it. */
export function exactJson(text: string): unknown {
  return fitsValue(JSON.parse(text), text) ? parseExact(text) : undefined;
}

function fitsValue(json: unknown, text: string): boolean {
  return findFault(json, MAX_VALUE_LEVELS, mayHoldSurrogates(text)) === null;
}
