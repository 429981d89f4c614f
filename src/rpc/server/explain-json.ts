/**
 * Refusals of JSON requests that name every field that is wrong. The pieces of a body are kept until it is
 * decoded, and looked at again only when that fails: calls that go well pay for a reference to each piece.
 */
import { type DescMessage, fromJsonString, type JsonValue } from "@bufbuild/protobuf";
import {
  Code,
  type ContextKey,
  createContextKey,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { invalidArgument } from "../../core/errors.ts";
import { withProtoDurations } from "../../core/plain-durations.ts";
import { findJsonProblems, MAX_PROBLEMS } from "./json-problems.ts";

interface JsonBody {
  /** Null: the body was decoded, and is of no more use. */
  pieces: Uint8Array[] | null;
}

const JSON_BODY: ContextKey<JsonBody> = createContextKey<JsonBody>(
  { pieces: null },
  { description: "the body of a JSON request that is not decoded yet" },
);

/** Interceptors run after the request was decoded. */
export const forgetJsonBody: Interceptor = (next) => (request) => {
  const body = request.contextValues.get(JSON_BODY);
  if (body.pieces !== null) body.pieces = null;
  return next(request);
};

/** The same handler, but its answer to JSON that cannot be decoded says which fields are wrong. */
export function explainingJson(handler: UniversalHandler): UniversalHandler {
  if (handler.method.methodKind !== "unary") return handler;
  const explaining = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const { body, header } = request;
    if (!isBytes(body) || !/^application\/json\b/i.test(header.get("content-type") ?? "")) {
      return handler(request);
    }
    const read: JsonBody = { pieces: [] };
    const contextValues = (request.contextValues ?? createContextValues()).set(JSON_BODY, read);
    const response = await handler({ ...request, body: keeping(body, read), contextValues });
    // None: it was refused before its body was read.
    if (read.pieces === null || read.pieces.length === 0 || response.status !== 400) return response;
    const text = await textOf(read.pieces, header.get("content-encoding"));
    if (text === null) return response;
    const plain = withPlainDurations(handler.method.input, text);
    if (plain !== null) return handler(withBody(request, plain));
    const message = explain(handler.method.input, text);
    return message === null ? response : refusal(message, response.header);
  };
  return Object.assign(explaining, { ...handler });
}

/** Null: it is no text. */
async function textOf(pieces: readonly Uint8Array[], encoding: string | null): Promise<string | null> {
  try {
    return new TextDecoder().decode(await decompressed(Buffer.concat(pieces), encoding));
  } catch {
    return null;
  }
}

/** The body with its durations as protobuf has them, if it says all that is wrong; null: there is more. */
function withPlainDurations(schema: DescMessage, text: string): string | null {
  try {
    const json = JSON.parse(text) as JsonValue;
    const plain = withProtoDurations(schema, json);
    if (plain === json || findJsonProblems(schema, plain).length > 0) return null;
    if (problemOfText(schema, text)?.includes("duplicate object key")) return null;
    // Numbers keep their digits: a payload may hold more of them than a double does.
    const exact = JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
      typeof value === "number" && context?.source !== undefined ? rawJson(context.source) : value,
    ) as JsonValue;
    return JSON.stringify(withProtoDurations(schema, exact));
  } catch {
    return null;
  }
}

/** Known to Node 26, and not yet to TypeScript's library. */
function rawJson(source: string): unknown {
  return (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON(source);
}

function withBody(request: UniversalServerRequest, text: string): UniversalServerRequest {
  const bytes = new TextEncoder().encode(text);
  const header = new Headers(request.header);
  header.delete("content-encoding");
  header.set("content-length", String(bytes.byteLength));
  return { ...request, header, body: once(bytes) };
}

/** Null: the decoder's own message has to do. */
function explain(schema: DescMessage, text: string): string | null {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    return `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const problems = findJsonProblems(schema, withProtoDurations(schema, json));
  if (problems.length === 0) return problemOfText(schema, text);
  const more = problems.length > MAX_PROBLEMS ? "; and more" : "";
  return invalidArgument(problems.slice(0, MAX_PROBLEMS)).message + more;
}

/** What JSON.parse does not see: a key that is there twice. */
function problemOfText(schema: DescMessage, text: string): string | null {
  try {
    fromJsonString(schema, text, { ignoreUnknownFields: false });
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return `the body: ${said.replace(/^cannot decode message \S+ from JSON: /, "")}`;
  }
}

async function decompressed(bytes: Buffer<ArrayBuffer>, encoding: string | null): Promise<Uint8Array> {
  for (const compression of [compressionGzip, compressionBrotli]) {
    // It was decompressed before, within the limit.
    if (compression.name === encoding) return compression.decompress(bytes, Number.MAX_SAFE_INTEGER);
  }
  return bytes;
}

function refusal(message: string, header: Headers | undefined): UniversalServerResponse {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ code: codeToString(Code.InvalidArgument), message }),
  );
  const ownHeader = new Headers(header);
  ownHeader.delete("content-encoding");
  ownHeader.set("content-length", String(bytes.byteLength));
  return { status: 400, header: ownHeader, body: once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* keeping(
  body: AsyncIterable<Uint8Array>,
  read: JsonBody,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of body) {
    read.pieces?.push(piece);
    yield piece;
  }
}

function isBytes(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
