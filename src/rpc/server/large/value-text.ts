/** A google.protobuf.Value on the wire to JSON text, without the objects between: they are many times as large. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Of Struct.fields: a map's entry. ListValue.values and the fields of Value have their numbers in the .proto file. */
const KEY = 1;
const VALUE = 2;
const MAX_LEVELS = 100;

/**
 * Null: it is none that JSON can say, or none that an encoder writes. Of one that is longer than so many characters, only a
 * little more than them. Throws when the bytes are no message.
 */
export function valueText(bytes: Uint8Array, mostCharacters: number): string | null {
  const writer = new Writer(mostCharacters);
  return writer.value(bytes, MAX_LEVELS) ? writer.parts.join("") : null;
}

class Writer {
  readonly parts: string[] = [];
  private left: number;

  constructor(mostCharacters: number) {
    this.left = mostCharacters;
  }

  get isFull(): boolean {
    return this.left < 0;
  }

  /** False: JSON has no such value. */
  value(bytes: Uint8Array, levels: number): boolean {
    if (levels === 0) return false;
    const reader = new BinaryReader(bytes);
    let has = false;
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      // An encoder writes one of them; what a decoder makes of several is not worth doing again here.
      if (has) return false;
      has = true;
      if (number === 1 && type === WireType.Varint) {
        reader.int32();
        this.write("null");
      } else if (number === 2 && type === WireType.Bit64) {
        const double = reader.double();
        if (!Number.isFinite(double)) return false;
        this.write(Object.is(double, -0) ? "-0" : String(double));
      } else if (number === 3 && type === WireType.LengthDelimited) {
        this.write(JSON.stringify(reader.string(true)));
      } else if (number === 4 && type === WireType.Varint) {
        this.write(reader.bool() ? "true" : "false");
      } else if (number === 5 && type === WireType.LengthDelimited) {
        if (!this.struct(reader.bytes(), levels - 1)) return false;
      } else if (number === 6 && type === WireType.LengthDelimited) {
        if (!this.list(reader.bytes(), levels - 1)) return false;
      } else {
        return false;
      }
    }
    return has;
  }

  private struct(bytes: Uint8Array, levels: number): boolean {
    const reader = new BinaryReader(bytes);
    this.write("{");
    for (let isFirst = true; reader.pos < reader.len && !this.isFull; isFirst = false) {
      const [number, type] = reader.tag();
      if (number !== 1 || type !== WireType.LengthDelimited) return false;
      if (!isFirst) this.write(",");
      if (!this.entry(reader.bytes(), levels)) return false;
    }
    this.write("}");
    return true;
  }

  private entry(bytes: Uint8Array, levels: number): boolean {
    const reader = new BinaryReader(bytes);
    let key = "";
    let value: Uint8Array | null = null;
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      if (type !== WireType.LengthDelimited) return false;
      if (number === KEY) key = reader.string(true);
      else if (number === VALUE && value === null) value = reader.bytes();
      else return false;
    }
    if (value === null) return false;
    this.write(JSON.stringify(key));
    this.write(":");
    return this.value(value, levels);
  }

  private list(bytes: Uint8Array, levels: number): boolean {
    const reader = new BinaryReader(bytes);
    this.write("[");
    for (let isFirst = true; reader.pos < reader.len && !this.isFull; isFirst = false) {
      const [number, type] = reader.tag();
      if (number !== 1 || type !== WireType.LengthDelimited) return false;
      if (!isFirst) this.write(",");
      if (!this.value(reader.bytes(), levels)) return false;
    }
    this.write("]");
    return true;
  }

  private write(text: string): void {
    if (this.isFull) return;
    this.left -= text.length;
    this.parts.push(text);
  }
}
