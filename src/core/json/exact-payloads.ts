/**
 * Messages hold JSON in a google.protobuf.Value, whose numbers are doubles, and beside it in a text: `payload` and
 * `payloadJson`, `output` and `outputJson`. In JSON of a message this moves a payload to its text where a Value would change it,
 * and puts it back, with all its digits. Messages are described as protobuf describes them, for the server and the client.
 */
import type { MessageShape } from "../message-shape.ts";
import { mayBeInexact, parseExact } from "./exact-numbers.ts";
import { findFault, MAX_TEXT_LEVELS } from "./json-faults.ts";

type JsonObject = { readonly [key: string]: unknown };

/** The JSON of a request, in which payloads with numbers that a double does not hold are texts. The same text where there are none. */
export function withExactTexts(schema: MessageShape, text: string): string {
  if (!mayBeInexact(text) || !holdsPairs(schema)) return text;
  const json = parseExact(text);
  const moved = changePairs(schema, json, (holder, { value, textNames }) => {
    if (holder[value] === undefined || textNames.some((name) => name in holder)) return holder;
    const exact = JSON.stringify(holder[value]);
    if (!mayBeInexact(exact)) return holder;
    // What no text can hold either is refused as the payload that it was given as.
    if (findFault(JSON.parse(exact), MAX_TEXT_LEVELS, false) !== null) return holder;
    const { [value]: _, ...rest } = holder;
    return { ...rest, [textNames[0]]: exact };
  });
  return moved === json ? text : JSON.stringify(moved);
}

/** JSON of an answer in which each text of a payload or output has the value itself before it, as `read` makes it; undefined: none. */
export function withValues(schema: MessageShape, json: unknown, read: (text: string) => unknown): unknown {
  if (!holdsPairs(schema)) return json;
  return changePairs(schema, json, (holder, { value, textNames: [name] }) => {
    const text = holder[name];
    if (typeof text !== "string") return holder;
    const made = read(text);
    const entries = Object.entries(holder).flatMap((entry) => {
      if (entry[0] === value) return [];
      return entry[0] === name && made !== undefined ? [[value, made], entry] : [entry];
    });
    return Object.fromEntries(entries);
  });
}

/** A field with a Value, and the names of the text beside it, as JSON may have them. */
interface Pair {
  readonly value: string;
  readonly textNames: readonly [jsonName: string, name: string];
}

type Change = (holder: JsonObject, pair: Pair) => JsonObject;

/** The same JSON where nothing changes. */
function changePairs(schema: MessageShape, json: unknown, change: Change): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  let holder = json as JsonObject;
  for (const pair of pairsOf(schema)) holder = change(holder, pair);
  for (const field of schema.fields) {
    if (field.message === undefined || !holdsPairs(field.message)) continue;
    const { message } = field;
    for (const key of new Set([field.jsonName, field.name])) {
      const item = holder[key];
      if (item === undefined) continue;
      const changed =
        field.fieldKind === "list" && Array.isArray(item)
          ? changeAll(item, (one) => changePairs(message, one, change))
          : changePairs(message, item, change);
      if (changed !== item) holder = { ...holder, [key]: changed };
    }
  }
  return holder;
}

function changeAll(items: readonly unknown[], change: (item: unknown) => unknown): readonly unknown[] {
  const changed = items.map(change);
  return changed.some((item, index) => item !== items[index]) ? changed : items;
}

interface KnownShape {
  readonly pairs: readonly Pair[];
  holds: boolean;
}
const known = new Map<MessageShape, KnownShape>();

/** Whether a message of this kind has such a field, or holds one that has. */
export function holdsPairs(schema: MessageShape): boolean {
  return shapeOf(schema).holds;
}

function pairsOf(schema: MessageShape): readonly Pair[] {
  return shapeOf(schema).pairs;
}

function shapeOf(schema: MessageShape): KnownShape {
  let shape = known.get(schema);
  if (shape === undefined) {
    const { fields } = schema;
    const pairs = fields.flatMap(({ name, jsonName, message }) => {
      const text = fields.find((other) => other.name === `${name}_json`);
      if (message?.typeName !== "google.protobuf.Value" || text === undefined) return [];
      return [{ value: jsonName, textNames: [text.jsonName, text.name] as const }];
    });
    // Known before it is whole: for messages that hold their own kind.
    shape = { pairs, holds: pairs.length > 0 };
    known.set(schema, shape);
    shape.holds ||= fields.some(({ message }) => message !== undefined && holdsPairs(message));
  }
  return shape;
}
