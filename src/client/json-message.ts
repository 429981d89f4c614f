/** Messages from the JSON that callers give, and to the JSON that they are given. */
import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { timeProblemsOfText } from "../core/calendar/json-times.ts";
import { ElasticJobError } from "../core/errors.ts";
import { exactText } from "../core/json/exact-numbers.ts";
import { withExactTexts, withValues } from "../core/json/exact-payloads.ts";
import { type Decode, findJsonProblems, refusalOf } from "../core/request/json-problems.ts";
import { withProtoDurations, withProtoDurationTexts } from "../core/request/plain-durations.ts";
import { shorten } from "../core/short-text.ts";

/** The descriptors are protobuf's own here. */
const decodeJson: Decode = (schema, json) => fromJson(schema as DescMessage, json as JsonValue);

/** Throws `invalid_argument`, in the server's words. `json`: undefined for what is no JSON at all. */
export function fromInput<Desc extends DescMessage>(
  schema: Desc,
  json: string | undefined,
): MessageShape<Desc> {
  try {
    const text = json === undefined ? undefined : withProtoDurationTexts(schema, json);
    const given = text === undefined ? undefined : JSON.parse(withExactTexts(schema, text));
    const message = fromJson(schema, given as JsonValue);
    // The decoder takes days that do not exist, and moves them.
    const problems = text === undefined ? [] : timeProblemsOfText(schema, text);
    if (problems.length > 0) throw refusalOf(problems);
    return message;
  } catch (error) {
    throw new ConnectError(
      refusalText(schema, json, error),
      Code.InvalidArgument,
      undefined,
      undefined,
      error,
    );
  }
}

function refusalText(schema: DescMessage, json: string | undefined, error: unknown): string {
  if (error instanceof ElasticJobError) return error.message;
  const given: unknown = json === undefined ? undefined : JSON.parse(json);
  const plain = withProtoDurations(schema, given as JsonValue);
  const problems = findJsonProblems(schema, plain, decodeJson, "the request");
  if (problems.length > 0) return refusalOf(problems).message;
  return shorten(error instanceof Error ? error.message : String(error), MOST_SAID_CHARACTERS);
}

/** Of what the decoder says, where nothing better is known. */
const MOST_SAID_CHARACTERS = 500;

/** JSON of what a caller gives, a BigInt with all its digits. A `Date` that is none, and NaN, become null in JSON, as if nothing had been given: they are refused. */
export function inputText(input: unknown): string | undefined {
  const text = valueText(input);
  // Nearly never: so the slow way is gone only when there is something to find.
  if (text?.includes(":null")) JSON.stringify(input, refuseLost);
  return text;
}

/** JSON of a part of it in which all is the caller's own, such as a payload. */
export function valueText(value: unknown): string | undefined {
  try {
    return exactText(value);
  } catch (error) {
    if (error instanceof ElasticJobError) throw new ConnectError(error.message, Code.InvalidArgument);
    throw error;
  }
}

function refuseLost(this: unknown, key: string, value: unknown): unknown {
  // What is in a payload is the caller's own.
  if (key === "payload" || typeof value === "bigint") return undefined;
  if (typeof value === "number" && !Number.isFinite(value))
    throw lost(key, `is ${value}; a number that JSON has is accepted`);
  const given: unknown = value === null && typeof this === "object" ? Reflect.get(this ?? {}, key) : null;
  if (given instanceof Date) throw lost(key, "is an invalid Date; a time that exists is accepted");
  return value;
}

function lost(field: string, message: string): ConnectError {
  return new ConnectError(`${field}: ${message}`, Code.InvalidArgument);
}

/**
 * Fields that hold their default are written too: a caller finds `created: false`, not nothing. A payload or output that comes as
 * text is there as JavaScript holds it, too: beside `payload`, `payloadJson` says that its numbers were changed for that.
 */
export function toOutput<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  const json = toJson(schema, message, { alwaysEmitImplicit: true });
  return withValues(schema, json, (text) => JSON.parse(text) as JsonValue) as JsonValue;
}
