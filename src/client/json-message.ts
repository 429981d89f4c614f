/** Messages from the JSON that callers give, and to the JSON that they are given. */
import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { timeProblemsOfText } from "../core/calendar/json-times.ts";
import { invalidArgument } from "../core/errors.ts";
import { exactText } from "../core/json/exact-numbers.ts";
import { withExactTexts, withValues } from "../core/json/exact-payloads.ts";
import { withProtoDurations } from "../core/plain-durations.ts";
import { shorten } from "../core/short-text.ts";

const MOST_SAID_CHARACTERS = 500;

export function fromInput<Desc extends DescMessage>(schema: Desc, json: string): MessageShape<Desc> {
  try {
    const message = decode(schema, JSON.parse(withExactTexts(schema, json)) as JsonValue);
    // The decoder takes days that do not exist, and moves them.
    const problems = timeProblemsOfText(schema, json);
    if (problems.length > 0) throw invalidArgument(problems);
    return message;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    // The decoder repeats a key of any length.
    const message = shorten(said, MOST_SAID_CHARACTERS);
    throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, error);
  }
}

/** JSON of what a caller gives, a BigInt with all its digits. A `Date` that is none becomes null in JSON, as if it had not been given: it is refused. */
export function inputText(input: unknown): string {
  // Undefined for what is no JSON at all, which is refused by name.
  const text = exactText(input) as string;
  // Nearly never: so the slow way is gone only when there is something to find.
  if (text?.includes(":null")) JSON.stringify(input, refuseInvalidDate);
  return text;
}

function refuseInvalidDate(this: unknown, key: string, value: unknown): unknown {
  // What is in a payload is the caller's own.
  if (key === "payload" || typeof value === "bigint") return undefined;
  const given: unknown = value === null && typeof this === "object" ? Reflect.get(this ?? {}, key) : null;
  if (given instanceof Date) {
    throw new ConnectError(
      `${key}: is an invalid Date; a time that exists is accepted`,
      Code.InvalidArgument,
    );
  }
  return value;
}

/** Durations such as "3m" are none of protobuf's: what they are is only looked up when the rest does not do. */
function decode<Desc extends DescMessage>(schema: Desc, given: JsonValue): MessageShape<Desc> {
  try {
    return fromJson(schema, given);
  } catch (error) {
    const plain = withProtoDurations(schema, given);
    if (plain === given) throw error;
    return fromJson(schema, plain);
  }
}

/**
 * Fields that hold their default are written too: a caller finds `created: false`, not nothing. A payload or output that comes as
 * text is there as JavaScript holds it, too: beside `payload`, `payloadJson` says that its numbers were changed for that.
 */
export function toOutput<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  const json = toJson(schema, message, { alwaysEmitImplicit: true });
  return withValues(schema, json, (text) => JSON.parse(text) as JsonValue) as JsonValue;
}
