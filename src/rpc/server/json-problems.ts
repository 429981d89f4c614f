/**
 * What is wrong with a JSON request, field by field. The decoder stops at the first thing that it cannot read,
 * and often does not say which field that was in; this walks the whole document by the message's descriptor, and asks the
 * decoder about one value at a time, so that the two never disagree. Times are checked here beyond that.
 */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { ACCEPTED_TIMES, timeProblems, wrongTime } from "../../core/calendar/json-times.ts";
import type { Problem } from "../../core/errors.ts";
import { shorten } from "../../core/short-text.ts";
import { type Range, rangeOf } from "../../core/spec/field-ranges.ts";

type JsonObject = { readonly [key: string]: JsonValue };

/** More in one message help nobody: then one more is looked for, to say that there are. */
export const MAX_PROBLEMS = 50;
const MAX_SHOWN_CHARACTERS = 80;

/** Of messages whose JSON form is not an object of their fields. */
const ACCEPTED_MESSAGES: Readonly<Record<string, string>> = {
  ...ACCEPTED_TIMES,
  "google.protobuf.FieldMask": `names of fields separated by commas, such as "name,retry.maxAttempts",`,
  "google.protobuf.Value": "JSON that is nested less deeply, or payloadJson,",
};

const ACCEPTED_SCALARS: Readonly<Partial<Record<ScalarType, string>>> = {
  [ScalarType.STRING]: "a string",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.BYTES]: "a string in base64",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number",
};

const RANGES: Readonly<Partial<Record<ScalarType, Range>>> = {
  [ScalarType.INT32]: { least: -2_147_483_648, most: 2_147_483_647 },
  [ScalarType.UINT32]: { least: 0, most: 4_294_967_295 },
};

/** Empty: the decoder takes it. */
export function findJsonProblems(schema: DescMessage, json: JsonValue): readonly Problem[] {
  if (!isObject(json)) {
    return [{ field: "the body", message: `is ${shown(json)}; a JSON object is accepted` }];
  }
  const problems: Problem[] = [];
  checkMessage(schema, json, "", problems);
  return problems;
}

function checkMessage(desc: DescMessage, json: JsonObject, prefix: string, problems: Problem[]): void {
  const seen = new Set<DescField>();
  const chosen = new Map<string, string>();
  for (const [key, value] of Object.entries(json)) {
    if (problems.length > MAX_PROBLEMS) return;
    const path = prefix + shorten(key, MAX_SHOWN_CHARACTERS);
    const field = desc.fields.find(({ name, jsonName }) => key === jsonName || key === name);
    if (field === undefined) {
      problems.push({ field: path, message: `is not known; ${fieldNames(desc)} accepted` });
      continue;
    }
    if (seen.has(field))
      problems.push({ field: path, message: `is given twice, also as ${otherName(field, key)}` });
    seen.add(field);
    const other = field.oneof && value !== null ? chosen.get(field.oneof.name) : undefined;
    if (other !== undefined) {
      problems.push({
        field: path,
        message: `does not go with ${other}; at most one ${field.oneof?.name} is accepted`,
      });
    }
    if (field.oneof && value !== null) chosen.set(field.oneof.name, key);
    checkField(desc, field, key, value, path, problems);
  }
}

function checkField(
  desc: DescMessage,
  field: DescField,
  key: string,
  value: JsonValue,
  path: string,
  problems: Problem[],
): void {
  if (decodes(desc, { [key]: value })) return;
  if (field.fieldKind === "list" && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (problems.length > MAX_PROBLEMS) return;
      const at = `${path}[${index}]`;
      if (field.listKind === "message" && hasFields(field.message) && isObject(item)) {
        checkMessage(field.message, item, `${at}.`, problems);
      } else if (!decodes(desc, { [key]: [item] })) problems.push(wrongValue(field, at, item));
    }
  } else if (field.fieldKind === "map" && isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (problems.length > MAX_PROBLEMS) return;
      if (!decodes(desc, { [key]: { [name]: item } }))
        problems.push(wrongValue(field, `${path}.${shorten(name, MAX_SHOWN_CHARACTERS)}`, item));
    }
  } else if (field.fieldKind === "message" && hasFields(field.message) && isObject(value)) {
    checkMessage(field.message, value, `${path}.`, problems);
  } else {
    const whole = field.fieldKind === "list" ? "a list" : field.fieldKind === "map" ? "an object" : null;
    problems.push(
      whole === null
        ? wrongValue(field, path, value)
        : { field: path, message: `is ${shown(value)}; ${whole} is accepted` },
    );
  }
}

/** Of a single value, or of an item of a list or map. */
function wrongValue(field: DescField, path: string, value: JsonValue): Problem {
  const wrong = field.message === undefined ? null : wrongTime(field.message.typeName, value);
  return { field: path, message: wrong ?? `is ${shown(value)}; ${accepted(field)} accepted` };
}

function accepted(field: DescField): string {
  if (field.message !== undefined)
    return `${ACCEPTED_MESSAGES[field.message.typeName] ?? "a JSON object"} is`;
  if (field.enum !== undefined) return enumNames(field.enum);
  const { scalar } = field;
  const what = (scalar !== undefined && ACCEPTED_SCALARS[scalar]) || "a whole number";
  const range = rangeOf(field.jsonName) ?? (scalar === undefined ? undefined : RANGES[scalar]);
  const within =
    range !== undefined && what.endsWith("number") ? ` from ${range.least} to ${range.most}` : "";
  return `${what}${within} is`;
}

/** The value 0 stands for none; to leave the field out says the same. */
function enumNames({ values }: DescEnum): string {
  const names = values.filter(({ number }) => number !== 0).map(({ name }) => name);
  return `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

function fieldNames(desc: DescMessage): string {
  const names = desc.fields.map(({ jsonName }) => jsonName);
  if (names.length === 0) return "an empty object is";
  return `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function otherName(field: DescField, key: string): string {
  return key === field.name ? field.jsonName : field.name;
}

function decodes(desc: DescMessage, json: JsonValue): boolean {
  try {
    fromJson(desc, json, { ignoreUnknownFields: false });
    return timeProblems(desc, json).length === 0;
  } catch {
    return false;
  }
}

/** Whether its JSON form is an object of its fields. */
function hasFields(desc: DescMessage): boolean {
  return !(desc.typeName in ACCEPTED_MESSAGES);
}

function isObject(json: JsonValue): json is JsonObject & { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function shown(value: JsonValue): string {
  return shorten(JSON.stringify(value), MAX_SHOWN_CHARACTERS);
}
