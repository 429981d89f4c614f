/** Which text of a binary message is not UTF-8: the decoder only says that one is not. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Problem } from "../../core/errors.ts";
import { notUtf8 } from "../../core/json/utf8.ts";

/** Null: there is no such text, or it lies behind bytes that are no message. */
export function badText(schema: DescMessage, bytes: Uint8Array): Problem | null {
  try {
    return findIn(schema, bytes, "");
  } catch {
    return null;
  }
}

function findIn(schema: DescMessage, bytes: Uint8Array, prefix: string): Problem | null {
  const reader = new BinaryReader(bytes);
  const counts = new Map<DescField, number>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = schema.fields.find((known) => known.number === number);
    if (wireType !== WireType.LengthDelimited || field === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const index = counts.get(field) ?? 0;
    counts.set(field, index + 1);
    const path = `${prefix}${field.jsonName}${field.fieldKind === "list" ? `[${index}]` : ""}`;
    const found = findInField(field, reader.bytes(), path);
    if (found !== null) return found;
  }
  return null;
}

function findInField(field: DescField, bytes: Uint8Array, path: string): Problem | null {
  if (field.message !== undefined && field.fieldKind !== "map")
    return findIn(field.message, bytes, `${path}.`);
  if (field.fieldKind === "map") return findInEntry(field, bytes, path);
  return field.scalar === ScalarType.STRING ? findInText(bytes, path) : null;
}

/** A map's entry is a message of a key, 1, and a value, 2. */
function findInEntry(
  field: DescField & { fieldKind: "map" },
  bytes: Uint8Array,
  path: string,
): Problem | null {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const part = reader.bytes();
    const isText = number === 1 ? field.mapKey === ScalarType.STRING : field.scalar === ScalarType.STRING;
    const found =
      number === 2 && field.message !== undefined
        ? findIn(field.message, part, `${path}.`)
        : isText
          ? findInText(part, path)
          : null;
    if (found !== null) return found;
  }
  return null;
}

function findInText(bytes: Uint8Array, field: string): Problem | null {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return null;
  } catch {
    return { field, message: `${notUtf8(bytes)}; text in UTF-8 is accepted` };
  }
}
