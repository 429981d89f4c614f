/**
 * google.protobuf.Value on the wire, JSON text inside. No value at all and the JSON value `null` are
 * two things: an absent Value is null here, a Value of null is the text `null`.
 */
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Problem } from "../../core/errors.ts";

/**
 * Protobuf implementations give up at 100 nested messages, and each JSON object takes three (Value,
 * Struct, map entry). Deeper ones would be accepted as JSON and then break for gRPC clients.
 */
export const MAX_NESTING = 30;

/** Null: there is none, or it is not valid, which is then one of the problems. */
export function jsonTextFromValue(
  field: string,
  value: Value | undefined,
  problems: Problem[],
): string | null {
  if (!value) return null;
  let json: JsonValue;
  try {
    json = toJson(ValueSchema, value);
  } catch (error) {
    // Only binary requests can carry these: a Value that is not set, NaN, Infinity.
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ field, message: `is not JSON (${reason}); any JSON value is accepted` });
    return null;
  }
  return fitsValue(field, json, problems) ? JSON.stringify(json) : null;
}

/** The text as it is, if it is JSON; null: what is wrong with it is now one of the problems. */
export function checkJsonText(field: string, text: string, problems: Problem[]): string | null {
  try {
    return fitsValue(field, JSON.parse(text) as JsonValue, problems) ? text : null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ field, message: `is not JSON (${reason})` });
    return null;
  }
}

function fitsValue(field: string, json: JsonValue, problems: Problem[]): boolean {
  const misfit = misfitOf(json, MAX_NESTING);
  if (misfit === null) return true;
  const message =
    misfit === "deep"
      ? `has more than ${MAX_NESTING} levels of arrays and objects; up to ${MAX_NESTING} are accepted`
      : "has a number that is too large; those of double precision are accepted";
  problems.push({ field, message });
  return false;
}

/**
 * A handler's output can be JSON that no Value can carry, because it is nested too deeply or has a number too large. It is then
 * a string with the JSON text, so that one such result does not make a whole page unreadable.
 */
export function valueFromJsonText(text: string | null): Value | undefined {
  if (text === null) return undefined;
  try {
    const json = JSON.parse(text) as JsonValue;
    if (misfitOf(json, MAX_NESTING) === null) return fromJson(ValueSchema, json);
  } catch {
    // Falls through to the text as it is.
  }
  return create(ValueSchema, { kind: { case: "stringValue", value: text.toWellFormed() } });
}

/** Why no Value can carry it; null: one can. JSON's numbers have no bound, and `JSON.parse` makes Infinity of those that are too large. */
function misfitOf(json: JsonValue, levels: number): "deep" | "infinite" | null {
  if (typeof json === "number") return Number.isFinite(json) ? null : "infinite";
  if (typeof json !== "object" || json === null) return null;
  if (levels === 0) return "deep";
  for (const item of Object.values(json)) {
    const misfit = misfitOf(item, levels - 1);
    if (misfit !== null) return misfit;
  }
  return null;
}
