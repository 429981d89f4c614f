/**
 * What is wrong with a JSON request, field by field. The decoder stops at the first thing that it cannot read,
 * and often does not say which field that was in; this walks the whole document by the message's descriptor, and asks the
 * decoder about one value at a time, so that the two never disagree. Times are checked here beyond that. Server and client
 * refuse in the same words: each brings protobuf's decoder, as no package is known here.
 */
import { ACCEPTED_TIMES, timeProblems, wrongTime } from "../calendar/json-times.ts";
import { ElasticJobError, invalidArgument, type Problem } from "../errors.ts";
import { findFault } from "../json/json-faults.ts";
import { repeatedName, repeatedPath } from "../json/json-strings.ts";
import { faultText } from "../json/json-text-problem.ts";
import { MAX_VALUE_LEVELS } from "../json/value-json.ts";
import type { FieldShape, MessageShape } from "../message-shape.ts";
import { shorten } from "../short-text.ts";
import { type Range, rangeOf } from "../spec/field-ranges.ts";

type JsonObject = { readonly [key: string]: unknown };

/** Protobuf's decoder: throws what it cannot read, a field that it does not know too. */
export type Decode = (schema: MessageShape, json: unknown) => unknown;

/** More in one message help nobody: then one more is looked for, to say that there are. */
export const MAX_PROBLEMS = 50;
const MAX_SHOWN_CHARACTERS = 80;

const VALUE = "google.protobuf.Value";

/** Of messages whose JSON form is not an object of their fields. */
const ACCEPTED_MESSAGES: Readonly<Record<string, string>> = {
  ...ACCEPTED_TIMES,
  "google.protobuf.FieldMask": `names of fields separated by commas, such as "name,retry.maxAttempts",`,
  [VALUE]: "JSON that is nested less deeply, or payloadJson,",
};

/** As descriptor.proto has them. */
const SCALAR = { double: 1, float: 2, int32: 5, bool: 8, string: 9, bytes: 12, uint32: 13 } as const;

const ACCEPTED_SCALARS: Readonly<Partial<Record<number, string>>> = {
  [SCALAR.string]: "a string",
  [SCALAR.bool]: "true or false",
  [SCALAR.bytes]: "a string in base64",
  [SCALAR.double]: "a number",
  [SCALAR.float]: "a number",
};

const RANGES: Readonly<Partial<Record<number, Range>>> = {
  [SCALAR.int32]: { least: -2_147_483_648, most: 2_147_483_647 },
  [SCALAR.uint32]: { least: 0, most: 4_294_967_295 },
};

/** All in one refusal; of very many, the first. */
export function refusalOf(problems: readonly Problem[]): ElasticJobError {
  const refused = invalidArgument(problems.slice(0, MAX_PROBLEMS));
  if (problems.length <= MAX_PROBLEMS) return refused;
  return new ElasticJobError(refused.code, `${refused.message}; and more`, { problems: refused.problems });
}

/** A name that an object has twice: neither `JSON.parse` nor a look at what it made tells that. */
export function repeatedProblem(text: string): readonly Problem[] {
  const path = repeatedName(text) === null ? null : repeatedPath(text);
  return path === null ? [] : [{ field: path, message: "is given twice; a name is accepted once" }];
}

/** Empty: the decoder takes it. `what`: the whole, for people. */
export function findJsonProblems(
  schema: MessageShape,
  json: unknown,
  decode: Decode,
  what = "the body",
): readonly Problem[] {
  if (!isObject(json)) return [{ field: what, message: `is ${shown(json)}; a JSON object is accepted` }];
  return new Walk(decode).problemsOf(schema, json);
}

class Walk {
  private readonly problems: Problem[] = [];
  private readonly decode: Decode;

  constructor(decode: Decode) {
    this.decode = decode;
  }

  problemsOf(schema: MessageShape, json: JsonObject): readonly Problem[] {
    this.message(schema, json, "");
    return this.problems;
  }

  private get isFull(): boolean {
    return this.problems.length > MAX_PROBLEMS;
  }

  private message(desc: MessageShape, json: JsonObject, prefix: string): void {
    const { problems } = this;
    const seen = new Set<FieldShape>();
    const chosen = new Map<string, string>();
    for (const [key, value] of Object.entries(json)) {
      if (this.isFull) return;
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
      this.field(desc, field, key, value, path);
    }
  }

  private field(desc: MessageShape, field: FieldShape, key: string, value: unknown, path: string): void {
    if (this.decodes(desc, { [key]: value })) return;
    const { message } = field;
    if (field.fieldKind === "list" && Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        if (this.isFull) return;
        const at = `${path}[${index}]`;
        if (message !== undefined && hasFields(message) && isObject(item)) {
          this.message(message, item, `${at}.`);
        } else if (!this.decodes(desc, { [key]: [item] })) this.problems.push(wrongValue(field, at, item));
      }
    } else if (field.fieldKind === "map" && isObject(value)) {
      for (const [name, item] of Object.entries(value)) {
        if (this.isFull) return;
        if (!this.decodes(desc, { [key]: { [name]: item } }))
          this.problems.push(wrongValue(field, `${path}.${shorten(name, MAX_SHOWN_CHARACTERS)}`, item));
      }
    } else if (
      field.fieldKind === "message" &&
      message !== undefined &&
      hasFields(message) &&
      isObject(value)
    ) {
      this.message(message, value, `${path}.`);
    } else {
      const whole = field.fieldKind === "list" ? "a list" : field.fieldKind === "map" ? "an object" : null;
      this.problems.push(
        whole === null
          ? wrongValue(field, path, value)
          : { field: path, message: `is ${shown(value)}; ${whole} is accepted` },
      );
    }
  }

  private decodes(desc: MessageShape, json: JsonObject): boolean {
    try {
      this.decode(desc, json);
      return timeProblems(desc, json).length === 0;
    } catch {
      return false;
    }
  }
}

/** Null: no more can be told than what it is. */
function wrongIn(typeName: string, value: unknown): string | null {
  if (typeName !== VALUE) return wrongTime(typeName, value);
  const fault = findFault(value, MAX_VALUE_LEVELS, false);
  return fault === null ? null : faultText(fault, MAX_VALUE_LEVELS);
}

/** Of a single value, or of an item of a list or map. */
function wrongValue(field: FieldShape, path: string, value: unknown): Problem {
  const wrong = field.message === undefined ? null : wrongIn(field.message.typeName, value);
  return { field: path, message: wrong ?? `is ${shown(value)}; ${accepted(field)} accepted` };
}

function accepted(field: FieldShape): string {
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
function enumNames({ values }: NonNullable<FieldShape["enum"]>): string {
  const names = values.filter(({ number }) => number !== 0).map(({ name }) => name);
  return `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

function fieldNames(desc: MessageShape): string {
  const names = desc.fields.map(({ jsonName }) => jsonName);
  if (names.length === 0) return "an empty object is";
  return `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function otherName(field: FieldShape, key: string): string {
  return key === field.name ? field.jsonName : field.name;
}

/** Whether its JSON form is an object of its fields. */
function hasFields(desc: MessageShape): boolean {
  return !(desc.typeName in ACCEPTED_MESSAGES);
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function shown(value: unknown): string {
  // As JSON has it: what no double holds was read as an infinite one.
  if (typeof value === "number" && !Number.isFinite(value)) return "a number that no double holds";
  return shorten(JSON.stringify(value) ?? String(value), MAX_SHOWN_CHARACTERS);
}
