/** The document: the public services as the edge answers them, in JSON. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import manifest from "../../package.json" with { type: "json" };
import { neededRole } from "../../src/core/callers/roles.ts";
import { commentOf, type JsonSchema, MessageSchemas } from "./message-schemas.ts";

/** As Connect writes them. */
const CODES = [
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

const ERROR: JsonSchema = {
  type: "object",
  description: "Why a call was not done.",
  required: ["code"],
  properties: {
    code: { type: "string", enum: CODES },
    message: {
      type: "string",
      description: "In words: each field that is wrong, and what would be accepted.",
    },
    details: {
      type: "array",
      description:
        "For programs: google.rpc.BadRequest, with each field that is wrong; google.rpc.RetryInfo, with when to try again.",
      items: {
        type: "object",
        required: ["type", "value"],
        properties: {
          type: { type: "string", description: "The full name of a message." },
          value: {
            type: "string",
            contentEncoding: "base64",
            description: "That message, in protobuf's binary form.",
          },
          debug: { description: "The same in JSON." },
        },
      },
    },
  },
};

const INFO = {
  title: "Elastic Job",
  version: manifest.version,
  summary: manifest.description,
  description:
    "Calls are POSTs of JSON, as Connect has them. StreamAddJobs is not here: it needs HTTP/2 to a node. What callers send is refused where it has unknown fields; to answers, later versions may add some, and fields that hold their default may be left out.",
  license: { name: "Apache License 2.0", identifier: "Apache-2.0" },
};

const json = (schema: JsonSchema) => ({ "application/json": { schema } });

export function openApiDocument(services: readonly DescService[]): JsonSchema {
  const methods = services
    .flatMap((service) => service.methods)
    .filter(({ methodKind }) => methodKind === "unary" || methodKind === "server_streaming");
  const schemas = new MessageSchemas(methods.map(({ input }) => input));
  const paths = Object.fromEntries(
    methods.map((method) => [`/${method.parent.name}/${method.name}`, operations(method, schemas)]),
  );
  return {
    openapi: "3.1.1",
    info: INFO,
    servers: [{ url: "/" }],
    tags: services.map((service) => ({ name: service.name, description: commentOf(service) })),
    // Where there are no tokens, none is asked for.
    security: [{ token: [] }, {}],
    paths,
    components: {
      schemas: { ...schemas.schemas, Error: ERROR },
      responses: {
        Error: {
          description: "The call was not done.",
          headers: {
            "retry-after-ms": {
              description: "How long to wait before trying again, where that makes sense.",
              schema: { type: "integer", minimum: 0 },
            },
          },
          content: json({ $ref: "#/components/schemas/Error" }),
        },
      },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token of API_TOKENS or API_TOKENS_FILE." },
      },
    },
  };
}

function operations(method: DescMethod, schemas: MessageSchemas): JsonSchema {
  const readsOnly = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (method.methodKind !== "unary") return { get: watching(method, schemas) };
  const content = json(schemas.ref(method.input));
  const post = {
    ...common(method),
    operationId: method.name,
    ...(readsOnly ? {} : { parameters: [IDEMPOTENCY_KEY] }),
    requestBody: { required: true, content },
    responses: {
      "200": { description: commentOf(method.output), content: json(schemas.ref(method.output)) },
      ...ERRORS,
    },
  };
  if (!readsOnly) return { post };
  const get = {
    ...common(method),
    operationId: `${method.name}ByGet`,
    parameters: [
      { name: "encoding", in: "query", required: true, schema: { const: "json" } },
      { name: "message", in: "query", required: true, description: "The request.", content },
    ],
    responses: post.responses,
  };
  return { post, get };
}

/** As server-sent events. */
function watching(method: DescMethod, schemas: MessageSchemas): JsonSchema {
  const fields = method.input.fields.map((field) => {
    const { description, ...schema } = schemas.field(field);
    return { name: field.jsonName, in: "query", description, schema };
  });
  const text = { type: "string", description: "Events, each with a message as JSON: see docs/clients.md." };
  return {
    ...common(method),
    operationId: method.name,
    parameters: fields,
    responses: {
      "200": {
        description: `Events, each with a ${method.output.name} as JSON; the last one is named \`end\`.`,
        content: { "text/event-stream": { schema: text, "x-event-data": schemas.ref(method.output) } },
      },
      ...ERRORS,
    },
  };
}

const ERRORS = { default: { $ref: "#/components/responses/Error" } };

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  description: "Makes a retry of the very same call safe for an hour, where the method says so.",
  schema: { type: "string", minLength: 1, maxLength: 200 },
};

function common(method: DescMethod): JsonSchema {
  const comment = commentOf(method);
  const role = neededRole(method.name);
  return {
    tags: [method.parent.name],
    summary: comment.split(/(?<=\.)\s/)[0]?.replaceAll("\n", " "),
    description: `${comment}\n\nWhere there are tokens, it needs the role \`${role}\`.`,
  };
}
