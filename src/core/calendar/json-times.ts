/**
 * The instants and durations in the JSON of a message, checked as text: protobuf's decoder takes instants that do not
 * exist, and durations with anything after their s. Messages are described as protobuf describes them, of which little
 * is needed here, so that server and client can both use this.
 */

import { type Problem, quote } from "../errors.ts";
import type { FieldShape, MessageShape } from "../message-shape.ts";
import { shorten } from "../short-text.ts";
import { instantProblem, NO_INSTANT } from "./rfc3339.ts";

const TIMESTAMP = "google.protobuf.Timestamp";
const DURATION = "google.protobuf.Duration";
export const ACCEPTED_TIMES = {
  [TIMESTAMP]: `an RFC 3339 time, such as "2026-12-01T08:00:00Z",`,
  [DURATION]: `a duration, such as "5s", "0.25s", "3m" or "1h30m",`,
} as const;

/** All that the decoder takes for an instant begins like this, and for a duration like that. */
const LOOKS_LIKE_INSTANT = /"(\d{4}-\d\d-\d\d[^"\\]*)"/g;
const LOOKS_LIKE_WRONG_DURATION = /"-?\d+(?:\.\d+)?s[^"]/;
/** A letter or digit that is written as its number, so that the patterns above would not see it. */
const HIDDEN_ASCII = /\\u00[2-7]/;

/**
 * What is wrong with the instants and durations of a message in JSON text that the decoder takes. The text is only
 * parsed if there is something in it that looks like a bad one.
 */
export function timeProblemsOfText(schema: MessageShape, text: string): readonly Problem[] {
  return hasTimes(schema) && isSuspicious(text) ? timeProblems(schema, JSON.parse(text)) : [];
}

/** The same of JSON that is parsed. */
export function timeProblems(schema: MessageShape, json: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  if (hasTimes(schema)) check(schema, json, "", problems);
  return problems;
}

/** What is wrong with one value, if that can be told; null: nothing, or it is no time at all. */
export function wrongTime(typeName: string, value: unknown): string | null {
  if (typeof value !== "string") return null;
  const shown = quote(value);
  if (typeName === TIMESTAMP) {
    const problem = instantProblem(value);
    if (problem === null) return null;
    return `is ${shown}${problem === NO_INSTANT ? "" : `, ${problem}`}; ${ACCEPTED_TIMES[TIMESTAMP]} is accepted`;
  }
  const isWrong = typeName === DURATION && !/^-?\d+(\.\d{1,9})?s$/.test(value);
  return isWrong ? `is ${shown}; ${ACCEPTED_TIMES[DURATION]} is accepted` : null;
}

function check(schema: MessageShape, json: unknown, prefix: string, problems: Problem[]): void {
  if (typeof json !== "object" || json === null) return;
  for (const [key, value] of Object.entries(json)) {
    const field = schema.fields.find(({ name, jsonName }) => key === jsonName || key === name);
    if (field?.message === undefined || !hasTimes(field.message)) continue;
    for (const [path, item] of itemsOf(field, prefix + key, value)) {
      const message = wrongTime(field.message.typeName, item);
      if (message !== null) problems.push({ field: path, message });
      else check(field.message, item, `${path}.`, problems);
    }
  }
}

function itemsOf(field: FieldShape, path: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (field.fieldKind === "message") return [[path, value]];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [`${path}[${index}]`, item]);
  return typeof value === "object" && value !== null
    ? Object.entries(value).map(([name, item]) => [`${path}.${shorten(name, 80)}`, item])
    : [];
}

function isSuspicious(text: string): boolean {
  if (HIDDEN_ASCII.test(text) || LOOKS_LIKE_WRONG_DURATION.test(text)) return true;
  for (const [, instant = ""] of text.matchAll(LOOKS_LIKE_INSTANT)) {
    if (instantProblem(instant) !== null) return true;
  }
  return false;
}

const known = new Map<MessageShape, boolean>();

/** Whether a message of this kind can hold an instant or a duration. */
function hasTimes(schema: MessageShape): boolean {
  if (schema.typeName === TIMESTAMP || schema.typeName === DURATION) return true;
  let has = known.get(schema);
  if (has === undefined) {
    // For messages that hold their own kind.
    known.set(schema, false);
    has = schema.fields.some(({ message }) => message !== undefined && hasTimes(message));
    known.set(schema, has);
  }
  return has;
}
