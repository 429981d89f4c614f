/** Where payloads are in a message: they are cut out before it is decoded, and stay text. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";

export interface PayloadShape {
  /** The field with the Value, and the one with its text; null: this message has none. */
  readonly payload: { readonly value: DescField; readonly text: DescField } | null;
  /** Fields with messages that have one, or hold one that has. */
  readonly nested: ReadonlyMap<number, NestedField>;
  readonly byName: ReadonlyMap<string, NestedField>;
}

export interface NestedField {
  readonly field: DescField;
  readonly message: DescMessage;
  readonly isList: boolean;
}

const shapes = new Map<DescMessage, PayloadShape>();

export function shapeOf(desc: DescMessage): PayloadShape {
  const known = shapes.get(desc);
  if (known !== undefined) return known;
  const shape = findShape(desc);
  shapes.set(desc, shape);
  return shape;
}

function findShape(desc: DescMessage): PayloadShape {
  const value = desc.fields.find(({ message }) => message?.typeName === "google.protobuf.Value");
  const text = desc.fields.find(({ name }) => name === `${value?.name}_json`);
  const fields = desc.fields.flatMap((field): NestedField[] => {
    const { message, fieldKind } = field;
    if (message === undefined || (fieldKind !== "message" && fieldKind !== "list")) return [];
    // A Value holds Values.
    if (message.typeName.startsWith("google.protobuf.")) return [];
    const { payload, nested } = shapeOf(message);
    return payload === null && nested.size === 0 ? [] : [{ field, message, isList: fieldKind === "list" }];
  });
  return {
    payload: value === undefined || text === undefined ? null : { value, text },
    nested: new Map(fields.map((one) => [one.field.number, one])),
    byName: new Map(
      fields.flatMap((one) => [one.field.jsonName, one.field.name].map((name) => [name, one] as const)),
    ),
  };
}
