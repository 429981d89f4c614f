/**
 * Large JSON requests, decoded in slices: job by job, each payload kept as text. Nothing is made of a call before it is
 * known to have no more jobs than a call may have, and no job that is large beside its payload.
 */
import { type DescMessage, fromJson, type JsonValue, type Message } from "@bufbuild/protobuf";
import { timeProblems } from "../../../core/calendar/json-times.ts";
import { ElasticJobError, type Problem, quote } from "../../../core/errors.ts";
import { mayBeInexact, parseExact } from "../../../core/json/exact-numbers.ts";
import { findFault, mayHoldSurrogates } from "../../../core/json/json-faults.ts";
import { endOfString } from "../../../core/json/json-strings.ts";
import { faultText } from "../../../core/json/json-text-problem.ts";
import { MAX_VALUE_LEVELS } from "../../../core/json/value-json.ts";
import {
  findJsonProblems,
  MAX_PROBLEMS,
  refusalOf,
  repeatedProblem,
} from "../../../core/request/json-problems.ts";
import { withProtoDurations } from "../../../core/request/plain-durations.ts";
import { halfPair } from "../../conversion/json-value.ts";
import { mostCharacters } from "../../conversion/payload-field.ts";
import { turns } from "../../turns.ts";
import { decodeJson } from "../decode-json.ts";
import { JsonReader } from "./json-reader.ts";
import { type LargeLimits, MAX_ITEMS, MAX_OTHER_BYTES, tooManyItems, tooMuchBeside } from "./large-limits.ts";
import { type NestedField, type PayloadShape, shapeOf } from "./payload-shape.ts";

export async function decodeLargeJson(
  schema: DescMessage,
  text: string,
  limits: LargeLimits,
): Promise<Message> {
  const decoding = new Decoding(text, limits);
  try {
    const message = await decoding.message(schema, "");
    if (decoding.problems.length === 0) {
      decoding.reader.end();
      return message;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const message = `the body is not JSON: ${error.message}`;
    const problems = [{ field: "", message }];
    throw new ElasticJobError("invalid_argument", message, { cause: error, problems });
  }
  throw refusalOf(decoding.problems);
}

/** A message of which nothing but problems are there. */
const NOTHING: Message = { $typeName: "" };

class Decoding {
  readonly reader: JsonReader;
  readonly problems: Problem[] = [];
  private readonly limits: LargeLimits;
  private readonly mayHoldSurrogates: boolean;

  constructor(text: string, limits: LargeLimits) {
    this.reader = new JsonReader(text);
    this.limits = limits;
    this.mayHoldSurrogates = mayHoldSurrogates(text);
  }

  async message(schema: DescMessage, path: string): Promise<Message> {
    const { reader } = this;
    if (!reader.nextIsObject()) {
      const start = reader.skipSpace();
      reader.skipValue();
      const field = path === "" ? "the body" : path;
      const found = quote(reader.text.slice(start, reader.at));
      this.problems.push({ field, message: `is ${found}; a JSON object is accepted` });
      return NOTHING;
    }
    const shape = shapeOf(schema);
    const prefix = path === "" ? "" : `${path}.`;
    const others: string[] = [];
    const seen = new Set<string>();
    const nested: (readonly [NestedField, Message | readonly Message[]])[] = [];
    let payload: string | null = null;
    for (const { name, start } of reader.members()) {
      const field = shape.byName.get(name);
      const known = field?.field.name ?? name;
      const isCutOut = field !== undefined && (field.isList ? reader.nextIsList() : reader.nextIsObject());
      const isPayload = name === shape.payload?.value.name;
      if (seen.has(known) && (isCutOut || isPayload)) {
        this.problems.push({ field: prefix + name, message: "is given twice; a name is accepted once" });
      }
      seen.add(known);
      if (isCutOut) {
        nested.push([field, await this.nested(field, prefix + name)]);
      } else if (isPayload) {
        const from = reader.at;
        reader.skipValue();
        payload = reader.text.slice(from, reader.at);
      } else {
        reader.skipValue();
        others.push(reader.text.slice(start, reader.at));
      }
      if (turns.isOver) await turns.next();
      if (this.problems.length > MAX_PROBLEMS) return NOTHING;
    }
    const message = this.others(schema, shape, others, prefix);
    const fields = message as unknown as Record<string, unknown>;
    for (const [{ field }, value] of nested) fields[field.localName] = value;
    if (payload !== null && shape.payload !== null) this.setPayload(fields, shape.payload, payload, prefix);
    return message;
  }

  private async nested(
    { message, isList }: NestedField,
    path: string,
  ): Promise<Message | readonly Message[]> {
    if (!isList) return this.message(message, path);
    const items: Message[] = [];
    for (const _ of this.reader.items()) {
      if (items.length >= MAX_ITEMS) throw tooManyItems(path);
      items.push(await this.message(message, `${path}[${items.length}]`));
      if (turns.isOver) await turns.next();
      if (this.problems.length > MAX_PROBLEMS) break;
    }
    return items;
  }

  /** What is left of a message without what was cut out. */
  private others(
    schema: DescMessage,
    shape: PayloadShape,
    members: readonly string[],
    prefix: string,
  ): Message {
    const text = `{${members.join()}}`;
    // A text that stands for a payload may be as long as that.
    const texts = members
      .filter((member) => isText(shape, member))
      .reduce((sum, { length }) => sum + length, 0);
    if (shape.payload !== null && text.length - texts > MAX_OTHER_BYTES)
      throw tooMuchBeside(prefix, members.filter((member) => !isText(shape, member)).map(sizeOf));
    const json = JSON.parse(text) as JsonValue;
    const plain = withProtoDurations(schema, json);
    const half = this.mayHoldSurrogates ? halfPair(json) : null;
    const problems = [
      ...(half === null ? [] : [half]),
      ...repeatedProblem(text),
      ...timeProblems(schema, plain),
    ];
    if (problems.length === 0) {
      try {
        return fromJson(schema, plain, { ignoreUnknownFields: false });
      } catch (error) {
        problems.push(...findJsonProblems(schema, plain, decodeJson));
        if (problems.length === 0) throw error;
      }
    }
    for (const { field, message } of problems) this.problems.push({ field: prefix + field, message });
    return NOTHING;
  }

  private setPayload(
    fields: Record<string, unknown>,
    { value, text }: NonNullable<PayloadShape["payload"]>,
    payload: string,
    prefix: string,
  ): void {
    if (fields[text.localName] !== undefined) {
      this.problems.push({
        field: prefix + text.jsonName,
        message: `is given beside ${value.jsonName}; one of them is accepted in a call of this size`,
      });
      return;
    }
    // Whoever judges the job says that it is too long, without a look at what it says.
    const isTooLong = payload.length > mostCharacters(this.limits.maxPayloadBytes);
    fields[text.localName] = isTooLong ? payload : this.plainText(payload, prefix + value.jsonName);
  }

  /** The same JSON as a Value would have it, with all its digits. */
  private plainText(payload: string, field: string): string {
    const json: unknown = JSON.parse(payload);
    const fault = findFault(json, MAX_VALUE_LEVELS, this.mayHoldSurrogates);
    if (fault !== null) {
      this.problems.push({ field, message: faultText(fault, MAX_VALUE_LEVELS) });
      return payload;
    }
    // The parser drops the first of two with the same name.
    const [repeated] = repeatedProblem(payload);
    if (repeated !== undefined) {
      const { field: path, message } = repeated;
      this.problems.push({ field: `${field}${path.startsWith("[") ? "" : "."}${path}`, message });
      return payload;
    }
    // Only now: it goes as deep as the text does.
    return JSON.stringify(mayBeInexact(payload) ? parseExact(payload) : json);
  }
}

function sizeOf(member: string): readonly [name: string, bytes: number] {
  return [JSON.parse(member.slice(0, endOfString(member, 0))) as string, Buffer.byteLength(member)];
}

function isText({ payload }: PayloadShape, member: string): boolean {
  if (payload === null) return false;
  return [payload.text.jsonName, payload.text.name].some((name) => member.startsWith(`"${name}"`));
}
