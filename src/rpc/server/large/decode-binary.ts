/** Large binary requests, decoded in slices: as `decode-json.ts` does with JSON. */
import { create, type DescField, type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ElasticJobError, invalidArgument } from "../../../core/errors.ts";
import { mostCharacters } from "../../conversion/payload-field.ts";
import { turns } from "../../turns.ts";
import { badText } from "../binary-problems.ts";
import { notOfItsKind } from "../refuse-binary.ts";
import { type LargeLimits, MAX_ITEMS, MAX_OTHER_BYTES, tooManyItems, tooMuchBeside } from "./large-limits.ts";
import { type NestedField, type PayloadShape, shapeOf } from "./payload-shape.ts";
import { valueText } from "./value-text.ts";

/** Of one message, beside what is cut out: a table has as many payloads as a call may have jobs. */
const MAX_FIELDS = 2 * MAX_ITEMS + 100;

export interface BinaryLimits extends LargeLimits {
  /** Fields that are not known are kept for the master to refuse, of calls that nodes forward. */
  readonly keepsUnknown: boolean;
}

export async function decodeLargeBinary(
  schema: DescMessage,
  bytes: Uint8Array,
  limits: BinaryLimits,
): Promise<Message> {
  try {
    return await new Decoding(limits).message(schema, bytes, "");
  } catch (error) {
    if (error instanceof ElasticJobError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidArgument([badText(schema, bytes) ?? notOfItsKind(schema, reason)]);
  }
}

/** Of the fields that are not cut out, by name. `text`: may be as long as a payload. */
function* sizesOf(
  schema: DescMessage,
  text: DescField,
  parts: readonly Uint8Array[],
): Generator<readonly [name: string, bytes: number]> {
  const sizes = new Map<number, number>();
  for (const part of parts) {
    const [number] = new BinaryReader(part).tag();
    sizes.set(number, (sizes.get(number) ?? 0) + part.byteLength);
  }
  for (const [number, bytes] of sizes) {
    const field = schema.fields.find((known) => known.number === number);
    if (field !== text) yield [field?.jsonName ?? `field ${number}`, bytes];
  }
}

class Decoding {
  private readonly limits: BinaryLimits;

  constructor(limits: BinaryLimits) {
    this.limits = limits;
  }

  async message(schema: DescMessage, bytes: Uint8Array, path: string): Promise<Message> {
    const shape = shapeOf(schema);
    const prefix = path === "" ? "" : `${path}.`;
    const reader = new BinaryReader(bytes);
    const others: Uint8Array[] = [];
    const payload: Uint8Array[] = [];
    const nested = new Map<NestedField, Uint8Array[]>();
    let textBytes = 0;
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [number, type] = reader.tag();
      const field = type === WireType.LengthDelimited ? shape.nested.get(number) : undefined;
      if (field !== undefined) {
        const parts = nested.get(field) ?? [];
        nested.set(field, parts);
        if (parts.length >= MAX_ITEMS) throw tooManyItems(prefix + field.field.jsonName);
        parts.push(reader.bytes());
      } else if (number === shape.payload?.value.number && type === WireType.LengthDelimited) {
        payload.push(reader.bytes());
      } else {
        reader.skip(type, number);
        if (number === shape.payload?.text.number) textBytes += reader.pos - start;
        others.push(bytes.subarray(start, reader.pos));
        if (others.length > MAX_FIELDS) throw tooManyItems(path === "" ? "the body" : path);
      }
    }
    const isWhole = payload.length === 0 && nested.size === 0;
    const rest = isWhole ? bytes : Buffer.concat(others);
    if (shape.payload !== null && rest.byteLength - textBytes > MAX_OTHER_BYTES)
      throw tooMuchBeside(prefix, sizesOf(schema, shape.payload.text, others));
    const message = fromBinary(schema, rest, { readUnknownFields: this.limits.keepsUnknown });
    const fields = message as unknown as Record<string, unknown>;
    for (const [field, parts] of nested)
      fields[field.field.localName] = await this.nested(field, parts, prefix);
    if (payload.length > 0 && shape.payload !== null) this.setPayload(fields, shape.payload, payload);
    return message;
  }

  private async nested(
    { field, message, isList }: NestedField,
    parts: readonly Uint8Array[],
    prefix: string,
  ): Promise<Message | readonly Message[]> {
    // One that is there in parts is what all of them together say.
    if (!isList) return this.message(message, Buffer.concat(parts), prefix + field.jsonName);
    const items: Message[] = [];
    for (const part of parts) {
      items.push(await this.message(message, part, `${prefix}${field.jsonName}[${items.length}]`));
      if (turns.isOver) await turns.next();
    }
    return items;
  }

  private setPayload(
    fields: Record<string, unknown>,
    { value, text }: NonNullable<PayloadShape["payload"]>,
    parts: readonly Uint8Array[],
  ): void {
    const [only = new Uint8Array(), ...more] = parts;
    const most = mostCharacters(this.limits.maxPayloadBytes) + 1;
    const found = valueText(more.length === 0 ? only : Buffer.concat(parts), most);
    // Whoever judges the job says what is wrong with it.
    if (found === null) fields[value.localName] = create(ValueSchema);
    else if (fields[text.localName] === undefined) fields[text.localName] = found;
    else fields[value.localName] = create(ValueSchema, { kind: { case: "stringValue", value: "" } });
  }
}
