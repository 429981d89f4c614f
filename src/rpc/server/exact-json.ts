/**
 * JSON of calls, exactly: bytes that are no UTF-8 are refused, not replaced, and numbers that a double does not hold pass
 * from body to body. The decoder makes doubles of all numbers, so payloads that have others go past it as text.
 */
import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import { invalidArgument } from "../../core/errors.ts";
import { holdsPairs, withExactTexts, withValues } from "../../core/json/exact-payloads.ts";
import { mayHoldSurrogates } from "../../core/json/json-faults.ts";
import { repeatedName } from "../../core/json/json-strings.ts";
import { decodeUtf8 } from "../../core/json/utf8.ts";
import { exactJson } from "../../core/json/value-json.ts";
import { withProtoDurationTexts } from "../../core/request/plain-durations.ts";
import { halfPair } from "../conversion/json-value.ts";

const encoder = new TextEncoder();

/** How a method's messages are read and written; null: of a method without payloads. */
export function jsonOptions(method: DescMethod | null) {
  return {
    // A misspelt field would otherwise be dropped without a word.
    ignoreUnknownFields: false,
    textDecoder: { decode: (bytes: Uint8Array = new Uint8Array()) => requestText(method?.input, bytes) },
    textEncoder: { encode: (text = "") => encoder.encode(answerText(method?.output, text)) },
  };
}

function requestText(schema: DescMessage | undefined, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes, "the body");
  const half = mayHoldSurrogates(text) ? halfPair(JSON.parse(text)) : null;
  if (half !== null) throw invalidArgument([half]);
  if (schema === undefined) return text;
  const plain = withProtoDurationTexts(schema, text);
  const exact = withExactTexts(schema, plain);
  // A name that is there twice is the decoder's to refuse; here it would be gone.
  return exact === plain || repeatedName(text) !== null ? plain : exact;
}

/** Of payloadJson and outputJson. */
const TEXT_FIELD = 'Json":"';

/** The decoder's users find the text; who reads JSON finds the value as well, as it was sent. */
function answerText(schema: DescMessage | undefined, text: string): string {
  if (schema === undefined || !holdsPairs(schema) || !text.includes(TEXT_FIELD)) return text;
  return JSON.stringify(withValues(schema, JSON.parse(text), exactJson));
}
