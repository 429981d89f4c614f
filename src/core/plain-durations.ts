/**
 * JSON requests with durations as people write them: "3m" where protobuf's JSON knows only "180s". The decoder refuses
 * those, and only then this looks: it costs calls that go well nothing.
 */
import { protoDurationOfText } from "./duration-text.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What this needs of a message's descriptor. */
interface MessageType {
  readonly typeName: string;
  readonly fields: readonly FieldType[];
}

interface FieldType {
  readonly name: string;
  readonly jsonName: string;
  readonly fieldKind: string;
  readonly message?: MessageType | undefined;
}

const DURATION = "google.protobuf.Duration";
/** What the decoder knows itself. */
const PROTO_TEXT = /^-?\d+(?:\.\d{1,9})?s$/;

/** The same value where there is nothing to change. */
export function withProtoDurations(desc: MessageType, json: Json): Json {
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

function convert(field: FieldType, value: Json): Json {
  const message = field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
  if (message === undefined) return value;
  if (field.fieldKind === "list" && Array.isArray(value)) {
    const items = value.map((item) => convertOne(message, item));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  return convertOne(message, value);
}

function convertOne(message: MessageType, value: Json): Json {
  if (message.typeName === DURATION) {
    return typeof value === "string" && !PROTO_TEXT.test(value)
      ? (protoDurationOfText(value) ?? value)
      : value;
  }
  // Value, Timestamp and their like are no objects of their fields.
  return message.typeName.startsWith("google.protobuf.") ? value : withProtoDurations(message, value);
}
