/**
 * The adapter refuses some calls without a word, and takes bytes that are no message of protobuf's for a fault of this
 * program. Both are put into words that say whose fault it is and what would be accepted, in the form of the call's protocol.
 */
import { Code } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { quote } from "../../core/errors.ts";
import { notOfItsKind, once } from "./refusal.ts";

/** What the adapter says, as of a fault of its own, of bytes that a caller has sent. */
const PARSE_BINARY = "parse binary: ";
const NOT_COMPRESSED_SO = /^(decompression failed$|received compressed envelope)/;
/** A byte of flags and four of length. */
const ENVELOPE_BYTES = 5;
const END_OF_CONNECT = 0b10;
const END_OF_GRPC_WEB = 0x80;

export function wordedRefusals(handler: UniversalHandler): UniversalHandler {
  const worded = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const response = await handler(request);
    const { status, body, trailer } = response;
    if (body === undefined && status >= 400) return withoutBody(handler, request, response);
    if (trailer !== undefined) return withGrpcStatus(handler, response, trailer);
    if (body === undefined) return response;
    const type = response.header?.get("content-type") ?? "";
    if (status === 500 && type === "application/json") return withConnectError(handler, response, body);
    return /^application\/(connect\+|grpc-web)/.test(type)
      ? { ...response, body: withEnd(handler, body) }
      : response;
  };
  return Object.assign(worded, { ...handler });
}

function withoutBody(
  { method }: UniversalHandler,
  request: UniversalServerRequest,
  response: UniversalServerResponse,
): UniversalServerResponse {
  const type = request.header.get("content-type") ?? "";
  const isStream = method.methodKind !== "unary";
  switch (response.status) {
    case 405: {
      const message = `${request.method}: ${method.name} takes POST only`;
      return refusal(response, 405, Code.Unimplemented, message, { allow: "POST" });
    }
    case 505: {
      const message = `${method.name} reads and answers on one stream, which needs HTTP/2; call it over HTTP/2`;
      return refusal(response, 505, Code.Unimplemented, message);
    }
    case 415: {
      const accepted = isStream
        ? `is for calls of one answer, and ${method.name} is a stream: application/connect+json (each message behind a byte of flags and four of its length) is accepted, and the types of Connect's streams, gRPC and gRPC-Web`
        : `is for streams, and ${method.name} has one answer: application/json is accepted, and application/proto and the types of gRPC and gRPC-Web`;
      return refusal(response, 415, Code.InvalidArgument, `Content-Type: ${quote(type)} ${accepted}`);
    }
    default:
      return response;
  }
}

function refusal(
  response: UniversalServerResponse,
  status: number,
  code: Code,
  message: string,
  more: Readonly<Record<string, string>> = {},
): UniversalServerResponse {
  const bytes = jsonBytes({ code: codeToString(code), message });
  const header = new Headers(response.header);
  for (const [name, value] of Object.entries(more)) header.set(name, value);
  header.set("content-type", "application/json");
  header.set("content-length", String(bytes.byteLength));
  return { status, header, body: once(bytes) };
}

/** By the first bytes of its body, gRPC's status is known already. */
function withGrpcStatus(
  handler: UniversalHandler,
  response: UniversalServerResponse,
  trailer: Headers,
): UniversalServerResponse {
  if (trailer.get("grpc-status") !== String(Code.Internal)) return response;
  const message = explained(handler, decodeURIComponent(trailer.get("grpc-message") ?? ""));
  if (message === null) return response;
  trailer.set("grpc-status", String(Code.InvalidArgument));
  trailer.set("grpc-message", encodeURIComponent(message));
  return response;
}

async function withConnectError(
  handler: UniversalHandler,
  response: UniversalServerResponse,
  body: NonNullable<UniversalServerResponse["body"]>,
): Promise<UniversalServerResponse> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const text = Buffer.concat(pieces);
  // One that is compressed is longer than ours ever are.
  const message = response.header?.has("content-encoding") ? null : explained(handler, messageOf(text));
  if (message === null) return { ...response, body: once(text) };
  return refusal(response, 400, Code.InvalidArgument, message);
}

/** A call that is refused before it begins has the end of its stream as its first bytes. */
async function* withEnd(
  handler: UniversalHandler,
  body: NonNullable<UniversalServerResponse["body"]>,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of body) {
    yield isFirst ? endInWords(handler, piece) : piece;
    isFirst = false;
  }
}

function endInWords(handler: UniversalHandler, piece: Uint8Array): Uint8Array {
  const [flags = 0] = piece;
  const text = Buffer.from(piece.subarray(ENVELOPE_BYTES)).toString();
  if (flags === END_OF_CONNECT) {
    const end = parsed(text);
    const message = explained(handler, end?.error?.message);
    const code = codeToString(Code.InvalidArgument);
    return message === null ? piece : enveloped(flags, jsonBytes({ ...end, error: { code, message } }));
  }
  if (flags !== END_OF_GRPC_WEB) return piece;
  const said = /^grpc-message: (.*)\r$/m.exec(text)?.[1] ?? "";
  const message = explained(handler, decodeURIComponent(said));
  if (message === null) return piece;
  const words = text
    .replace(/^grpc-status: .*\r$/m, `grpc-status: ${Code.InvalidArgument}\r`)
    .replace(/^grpc-message: .*\r$/m, () => `grpc-message: ${encodeURIComponent(message)}\r`);
  return enveloped(flags, new TextEncoder().encode(words));
}

/** Null: it is about something else. */
function explained({ method }: UniversalHandler, message = ""): string | null {
  if (NOT_COMPRESSED_SO.test(message)) {
    return "the body: is not compressed as the call says; gzip and br are accepted, each whole and named, or none";
  }
  if (!message.startsWith(PARSE_BINARY)) return null;
  return notOfItsKind(method.input, message.slice(PARSE_BINARY.length));
}

interface EndOfStream {
  readonly error?: { readonly message?: string };
}

function messageOf(bytes: Buffer): string | undefined {
  return (JSON.parse(bytes.toString()) as { message?: string }).message;
}

function parsed(text: string): EndOfStream | null {
  try {
    return JSON.parse(text) as EndOfStream;
  } catch {
    return null;
  }
}

function enveloped(flags: number, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(ENVELOPE_BYTES + data.byteLength);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(data.byteLength, 1);
  bytes.set(data, ENVELOPE_BYTES);
  return bytes;
}

function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
