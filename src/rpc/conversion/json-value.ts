/**
 * google.protobuf.Value on the wire, JSON text inside, and JSON text on the wire where a Value would change it. No value at all and
 * the JSON value `null` are two things: an absent Value is null here, a Value of null is the text `null`.
 */
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Problem } from "../../core/errors.ts";
import { hasNegativeZero, textWithDigits } from "../../core/json/exact-numbers.ts";
import { findFault, MAX_TEXT_LEVELS, pathOf } from "../../core/json/json-faults.ts";
import { faultText, jsonTextProblem } from "../../core/json/json-text-problem.ts";
import { jsonForValue, MAX_VALUE_LEVELS } from "../../core/json/value-json.ts";

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
    const infinite = infiniteIn(value);
    // Only binary requests can carry these: a Value that is not set, NaN.
    const reason = error instanceof Error ? error.message : String(error);
    const message =
      infinite === null
        ? `is not JSON (${reason}); any JSON value is accepted`
        : faultText({ fault: "infinite", path: pathOf(infinite) }, MAX_VALUE_LEVELS);
    problems.push({ field, message });
    return null;
  }
  const fault = findFault(json, MAX_VALUE_LEVELS, false);
  if (fault !== null) {
    problems.push({ field, message: faultText(fault, MAX_VALUE_LEVELS) });
    return null;
  }
  return hasNegativeZero(json) ? (textWithDigits(json) ?? null) : JSON.stringify(json);
}

/** Where a number is that JSON has and no double holds; null: there is none. */
function infiniteIn({ kind }: Value): readonly (string | number)[] | null {
  if (kind.case === "numberValue") return Math.abs(kind.value) === Number.POSITIVE_INFINITY ? [] : null;
  const items: readonly (readonly [string | number, Value])[] =
    kind.case === "structValue"
      ? Object.entries(kind.value.fields)
      : kind.case === "listValue"
        ? [...kind.value.values.entries()]
        : [];
  for (const [step, item] of items) {
    const inner = infiniteIn(item);
    if (inner !== null) return [step, ...inner];
  }
  return null;
}

/** The text as it is, if it is JSON; null: what is wrong with it is now one of the problems. */
export function checkJsonText(field: string, text: string, problems: Problem[]): string | null {
  const message = jsonTextProblem(text);
  if (message === null) return text;
  problems.push({ field, message });
  return null;
}

/** Halves of surrogate pairs, which would go on as U+FFFD, in JSON that has no more levels than any message. */
export function halfPair(json: unknown): Problem | null {
  const fault = findFault(json, MAX_TEXT_LEVELS, true);
  if (fault?.fault !== "surrogate") return null;
  return { field: fault.path || "the body", message: faultText({ ...fault, path: "" }, MAX_TEXT_LEVELS) };
}

/** JSON on the wire: one of them, or none. */
interface Carried {
  readonly value?: Value;
  readonly text?: string;
}

/** As a Value, or as its text where a Value would change it: so nothing that reads a Value reads something else. */
export function carriedJson(text: string | null): Carried {
  if (text === null) return {};
  try {
    const fit = jsonForValue(text);
    return fit === null ? { text } : { value: fromJson(ValueSchema, fit.json as JsonValue) };
  } catch {
    // It is no JSON: nothing here writes such a thing, but a page must not become unreadable for it.
    return { value: create(ValueSchema, { kind: { case: "stringValue", value: text.toWellFormed() } }) };
  }
}
