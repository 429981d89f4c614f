/**
 * JSON requests with durations as people write them: "3m" where protobuf's JSON knows only "180s". Of "1s500ms" the decoder
 * would take the first second. A quick look at the text tells whether there is any such: it costs calls without one nothing.
 */
import { protoDurationOfText } from "../duration-text.ts";
import { parseExact } from "../json/exact-numbers.ts";
import { repeatedName } from "../json/json-strings.ts";
import type { FieldShape, MessageShape } from "../message-shape.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A text of amounts with units, of which the last is not the seconds that the decoder knows alone. */
const LOOKS_PLAIN = /"(?!\d+(?:\.\d{1,9})?s")(?:\d+(?:\.\d+)?(?:ms|[smhd]))+"/;
/** A letter or digit that is written as its number, so that the pattern above would not see it. */
const HIDDEN_ASCII = /\\u00[2-7]/;

const DURATION = "google.protobuf.Duration";
/** What the decoder knows itself. */
const PROTO_TEXT = /^-?\d+(?:\.\d{1,9})?s$/;

/** The text of a request with its durations as protobuf has them, and all digits of its numbers. The same where there is nothing to change, or it is not JSON. */
export function withProtoDurationTexts(schema: MessageShape, text: string): string {
  if (!LOOKS_PLAIN.test(text) && !HIDDEN_ASCII.test(text)) return text;
  try {
    const json = parseExact(text) as Json;
    const plain = withProtoDurations(schema, json);
    // A name that is there twice is the decoder's to refuse; here it would be gone.
    return plain === json || repeatedName(text) !== null ? text : JSON.stringify(plain);
  } catch {
    return text;
  }
}

/** The same value where there is nothing to change. */
export function withProtoDurations(desc: MessageShape, json: Json): Json {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  let changed: { [key: string]: Json } | null = null;
  for (const [key, value] of Object.entries(json)) {
    const field = desc.fields.find(({ name, jsonName }) => key === jsonName || key === name);
    const converted = field === undefined ? value : convert(field, value);
    if (converted === value) continue;
    changed ??= { ...json };
    changed[key] = converted;
  }
  return changed ?? json;
}

function convert(field: FieldShape, value: Json): Json {
  const message = field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
  if (message === undefined) return value;
  if (field.fieldKind === "list" && Array.isArray(value)) {
    const items = value.map((item) => convertOne(message, item));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  return convertOne(message, value);
}

function convertOne(message: MessageShape, value: Json): Json {
  if (message.typeName === DURATION) {
    return typeof value === "string" && !PROTO_TEXT.test(value)
      ? (protoDurationOfText(value) ?? value)
      : value;
  }
  // Value, Timestamp and their like are no objects of their fields.
  return message.typeName.startsWith("google.protobuf.") ? value : withProtoDurations(message, value);
}
