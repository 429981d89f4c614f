/** The page docs/api.md: the public services as JSON has them, with the comments of the proto. */
import type { DescEnum, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { neededRole } from "../../src/core/callers/roles.ts";
import { commentOf } from "../openapi/message-schemas.ts";
import { wrap } from "./wrap.ts";

/** Those of Google's whose JSON is no object: what stands for them in JSON. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": "instant",
  "google.protobuf.Duration": "duration",
  "google.protobuf.FieldMask": "names of fields",
  "google.protobuf.Value": "any JSON",
};

const SCALARS: Readonly<Partial<Record<ScalarType, string>>> = {
  [ScalarType.STRING]: "string",
  [ScalarType.BOOL]: "boolean",
  [ScalarType.DOUBLE]: "number",
  [ScalarType.INT32]: "integer",
  [ScalarType.INT64]: "integer, as a string",
  [ScalarType.UINT32]: "integer, not negative",
};

const INTRODUCTION = [
  "# API",
  "",
  "<!-- Made of proto/public by `npm run generate`: change it there. -->",
  "",
  wrap(
    "All that callers can ask, by the names that JSON has. A call is a POST of its request to `/JobService/AddJob`, at a node or at an edge; " +
      "[clients.md](clients.md) has the other ways, errors and tokens. An *instant* is a text such as `2026-12-01T08:00:00Z`, " +
      "a *duration* one such as `1h30m` (in answers `5400s`), *names of fields* one such as `name,retry.maxAttempts`. " +
      "Of fields that are marked with the same ◇ name, one at most is set.",
  ),
  "",
];

export function referencePage(services: readonly DescService[]): string {
  const methods = services.flatMap((service) => service.methods);
  const reached = reachedFrom(methods);
  const lines = [
    ...INTRODUCTION,
    ...services.flatMap((service) => [
      `## ${service.name}`,
      "",
      wrap(flat(commentOf(service))),
      "",
      ...service.methods.flatMap(methodLines),
    ]),
    "## Messages",
    "",
    ...reached.filter((desc) => desc.kind === "message").flatMap(messageLines),
    "## Enums",
    "",
    ...reached.filter((desc) => desc.kind === "enum").flatMap(enumLines),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** In the order in which they are first spoken of. */
function reachedFrom(methods: readonly DescMethod[]): (DescMessage | DescEnum)[] {
  const reached = new Set<DescMessage | DescEnum>();
  const add = (desc: DescMessage | DescEnum | undefined): void => {
    if (desc === undefined || reached.has(desc) || WELL_KNOWN[desc.typeName] !== undefined) return;
    reached.add(desc);
    if (desc.kind === "message") for (const { message, enum: of } of desc.fields) add(message ?? of);
  };
  for (const { input, output } of methods) {
    add(input);
    add(output);
  }
  return [...reached];
}

function methodLines(method: DescMethod): string[] {
  const { name, input, output, methodKind, idempotency } = method;
  const takes = methodKind === "bidi_streaming" ? "A stream of " : "";
  const gives = methodKind === "unary" ? "" : "a stream of ";
  const readsOnly = idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const alsoByGet = readsOnly ? ", also by GET" : "";
  return [
    `### ${name}`,
    "",
    wrap(`${takes}${link(input)} → ${gives}${link(output)}, role \`${neededRole(name)}\`${alsoByGet}.`),
    "",
    wrap(flat(commentOf(method))),
    "",
  ];
}

function messageLines(desc: DescMessage): string[] {
  const fields = desc.fields.map((field) =>
    wrap(`- \`${field.jsonName}\` (${typeOf(field)}${choiceOf(field)}): ${flat(commentOf(field))}`, "  "),
  );
  return [
    `### ${desc.name}`,
    "",
    wrap(flat(commentOf(desc))),
    "",
    ...fields,
    ...(fields.length > 0 ? [""] : []),
  ];
}

function enumLines(desc: DescEnum): string[] {
  const values = desc.values.map((value) => wrap(`- \`${value.name}\`: ${flat(commentOf(value))}`, "  "));
  return [`### ${desc.name}`, "", wrap(flat(commentOf(desc))), "", ...values, ""];
}

function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `list of ${itemOf(field)}`;
    case "map":
      return `object of ${itemOf(field)}`;
    default:
      return itemOf(field);
  }
}

function itemOf({ message, enum: of, scalar }: DescField): string {
  const desc = message ?? of;
  if (desc !== undefined) return WELL_KNOWN[desc.typeName] ?? link(desc);
  const known = scalar === undefined ? undefined : SCALARS[scalar];
  if (known === undefined) throw new Error(`no word is known for ${String(scalar)}`);
  return known;
}

/** A field that is `optional` in the proto is a choice of one, which says nothing. */
function choiceOf({ oneof }: DescField): string {
  return oneof === undefined ? "" : `, ◇ ${oneof.name}`;
}

function link({ name }: DescMessage | DescEnum): string {
  return `[${name}](#${name.toLowerCase()})`;
}

function flat(comment: string): string {
  return comment.replaceAll(/\s*\n\s*/g, " ");
}
