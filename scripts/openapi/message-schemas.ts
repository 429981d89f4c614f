/** What messages look like in protobuf's JSON, as JSON Schema (2020-12), with their comments. */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

export type JsonSchema = { readonly [keyword: string]: unknown };

/** Of Google's own: those whose JSON is no object of their fields. */
const WELL_KNOWN: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Timestamp": {
    type: "string",
    format: "date-time",
    description: "An instant, such as 2026-11-29T08:30:00Z.",
  },
  "google.protobuf.Duration": {
    type: "string",
    pattern: String.raw`^-?\d+(\.\d{1,9})?s$|^(\d+(\.\d+)?(ms|[smhd]))+$`,
    description: "A length of time, such as 1.5s; requests may also say 500ms, 5m, 1h30m or 2d.",
  },
  "google.protobuf.FieldMask": {
    type: "string",
    description: "Names of fields, separated by commas, such as name,retry.maxAttempts.",
  },
  "google.protobuf.Value": { description: "Any JSON value." },
};

const SCALARS: Readonly<Partial<Record<ScalarType, JsonSchema>>> = {
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.BYTES]: { type: "string", contentEncoding: "base64" },
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.INT32]: { type: "integer", format: "int32" },
  // Text in answers: JavaScript's numbers do not hold all of them.
  [ScalarType.INT64]: { type: ["string", "integer"], pattern: String.raw`^-?\d{1,19}$`, format: "int64" },
  [ScalarType.UINT32]: { type: "integer", minimum: 0, maximum: 4_294_967_295 },
};

export function commentOf(desc: Parameters<typeof getComments>[0]): string {
  return (getComments(desc).leading ?? "").replaceAll(/^ /gm, "").trim();
}

/** Gathers the schemas of messages and enums that are referred to, and of what those refer to. */
export class MessageSchemas {
  readonly #requested: ReadonlySet<string>;
  readonly #schemas = new Map<string, JsonSchema>();

  /** `requests`: what callers send has no other fields than these; to an answer, a newer version may add some. */
  constructor(requests: readonly DescMessage[]) {
    const requested = new Set<string>();
    const add = ({ typeName, fields }: DescMessage): void => {
      if (requested.has(typeName)) return;
      requested.add(typeName);
      for (const { message } of fields) if (message !== undefined) add(message);
    };
    for (const message of requests) add(message);
    this.#requested = requested;
  }

  get schemas(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#schemas].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  ref(desc: DescMessage | DescEnum): JsonSchema {
    const wellKnown = WELL_KNOWN[desc.typeName];
    if (wellKnown !== undefined) return wellKnown;
    if (!this.#schemas.has(desc.typeName)) {
      // Before it is made: what refers to itself finds it there.
      this.#schemas.set(desc.typeName, {});
      this.#schemas.set(desc.typeName, desc.kind === "enum" ? enumSchema(desc) : this.#messageSchema(desc));
    }
    return { $ref: `#/components/schemas/${desc.typeName}` };
  }

  /** With what the field says of itself. */
  field(field: DescField): JsonSchema {
    const value = this.#value(field);
    const description = commentOf(field);
    return description === "" ? value : { ...value, description };
  }

  #messageSchema(desc: DescMessage): JsonSchema {
    const properties = Object.fromEntries(desc.fields.map((field) => [field.jsonName, this.field(field)]));
    const choices = desc.oneofs.map(({ fields }) => atMostOne(fields.map(({ jsonName }) => jsonName)));
    return {
      type: "object",
      description: commentOf(desc),
      properties,
      ...(this.#requested.has(desc.typeName) && { additionalProperties: false }),
      ...(choices.length > 0 && { allOf: choices }),
    };
  }

  #value(field: DescField): JsonSchema {
    switch (field.fieldKind) {
      case "scalar":
        return scalar(field.scalar);
      case "enum":
        return this.ref(field.enum);
      case "message":
        return this.ref(field.message);
      case "list":
        return { type: "array", items: this.#item(field) };
      case "map":
        return { type: "object", additionalProperties: this.#item(field) };
    }
  }

  #item(field: DescField & { fieldKind: "list" | "map" }): JsonSchema {
    if (field.message !== undefined) return this.ref(field.message);
    return field.enum === undefined ? scalar(field.scalar) : this.ref(field.enum);
  }
}

function scalar(type: ScalarType): JsonSchema {
  const known = SCALARS[type];
  if (known === undefined) throw new Error(`no JSON schema is known for ${ScalarType[type]}`);
  return known;
}

function enumSchema(desc: DescEnum): JsonSchema {
  const values = desc.values.map((value) => `- \`${value.name}\`: ${commentOf(value)}`);
  return {
    type: "string",
    description: [commentOf(desc), ...values].join("\n"),
    enum: desc.values.map(({ name }) => name),
  };
}

/** Each alone, or none of them. */
function atMostOne(names: readonly string[]): JsonSchema {
  const given = names.map((name) => ({ required: [name] }));
  return { oneOf: [...given, { not: { anyOf: given } }] };
}
