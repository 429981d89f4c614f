/**
 * google.protobuf.Value on the wire, JSON text inside, and JSON text on the wire where a Value would change it. No value at all and
 * the JSON value `null` are two things: an absent Value is null here, a Value of null is the text `null`.
 */
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Problem } from "../../core/errors.ts";
import { hasNegativeZero, textWithDigits } from "../../core/json/exact-numbers.ts";
import {
  countNames,
  type FoundFault,
  findFault,
  MAX_TEXT_LEVELS,
  mayHoldSurrogates,
} from "../../core/json/json-faults.ts";
import { mostNames, repeatedName } from "../../core/json/json-strings.ts";
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
    // Only binary requests can carry these: a Value that is not set, NaN, Infinity.
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ field, message: `is not JSON (${reason}); any JSON value is accepted` });
    return null;
  }
  const fault = findFault(json, MAX_VALUE_LEVELS, false);
  if (fault !== null) {
    problems.push({ field, message: faultText(fault, MAX_VALUE_LEVELS) });
    return null;
  }
  return hasNegativeZero(json) ? (textWithDigits(json) ?? null) : JSON.stringify(json);
}

/** The text as it is, if it is JSON; null: what is wrong with it is now one of the problems. */
export function checkJsonText(field: string, text: string, problems: Problem[]): string | null {
  const message = textProblem(text);
  if (message === null) return text;
  problems.push({ field, message });
  return null;
}

function textProblem(text: string): string | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `is not JSON (${error instanceof Error ? error.message : String(error)})`;
  }
  const holdsSurrogates = mayHoldSurrogates(text);
  // As nearly every payload is, and each job has one.
  if (!holdsSurrogates && countNames(json, MAX_TEXT_LEVELS) === mostNames(text)) return null;
  const fault = findFault(json, MAX_TEXT_LEVELS, holdsSurrogates);
  if (fault !== null) return faultText(fault, MAX_TEXT_LEVELS);
  const name = repeatedName(text);
  return name === null
    ? null
    : `has ${JSON.stringify(name.slice(0, 80))} twice in one object; a name is accepted once`;
}

/** What is wrong with JSON of so many levels, in words. */
export function faultText({ fault, path }: FoundFault, levels: number): string {
  const at = path === "" ? "" : `, at ${path}`;
  switch (fault) {
    case "deep": {
      const more = levels === MAX_TEXT_LEVELS ? "" : `, and up to ${MAX_TEXT_LEVELS} in payloadJson`;
      return `has more than ${levels} levels of arrays and objects; up to ${levels} are accepted${more}`;
    }
    case "infinite":
      return `has a number that is too large${at}; those of double precision are accepted`;
    case "surrogate":
      return `has half of a surrogate pair${at}, which UTF-8 cannot carry; whole characters are accepted`;
  }
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
