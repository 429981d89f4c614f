/**
 * The adapter refuses some calls without a word, and takes bytes that are no message of protobuf's for a fault of this
 * program. Both are put into words that say whose fault it is and what would be accepted, in the form of the call's protocol.
 */
import { Code, createContextValues } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { quote } from "../../core/errors.ts";
import { ENVELOPE_BYTES, enveloped } from "./body-kind.ts";
import { isBytes, jsonBytes, once, refusal } from "./refusal.ts";
import { binaryProblem } from "./refuse-binary.ts";
import { SENT_BINARY, type SentBody, sentBinary } from "./sent-body.ts";

const NOT_COMPRESSED_SO = /^(decompression failed$|received compressed envelope)/;
const END_OF_CONNECT = 0b10;
const END_OF_GRPC_WEB = 0x80;

/** What the adapter said, in words of ours; null: it was about something else. */
type Words = (said: string | undefined) => Promise<string | null>;

export function wordedRefusals(handler: UniversalHandler): UniversalHandler {
  const { input, methodKind } = handler.method;
  const worded = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const sent = methodKind === "unary" ? sentBinary(request) : null;
    const response = await handler(sent === null ? request : kept(request, sent));
    const { status, body, trailer } = response;
    const words: Words = async (said = "") =>
      NOT_COMPRESSED_SO.test(said)
        ? "the body: is not compressed as the call says; gzip and br are accepted, each whole and named, or none"
        : binaryProblem(input, said, sent);
    if (body === undefined && status >= 400) return withoutBody(handler, request, response);
    if (trailer !== undefined) return withGrpcStatus(response, trailer, words);
    if (body === undefined) return response;
    const type = response.header?.get("content-type") ?? "";
    if (status === 500 && type === "application/json") return withConnectError(response, body, words);
    return /^application\/(connect\+|grpc-web)/.test(type)
      ? { ...response, body: withEnd(body, words) }
      : response;
  };
  return Object.assign(worded, { ...handler });
}

function kept(request: UniversalServerRequest, sent: SentBody): UniversalServerRequest {
  if (!isBytes(request.body)) return request;
  const contextValues = (request.contextValues ?? createContextValues()).set(SENT_BINARY, sent);
  return { ...request, body: sent.keeping(request.body), contextValues };
}

function withoutBody(
  { method }: UniversalHandler,
  request: UniversalServerRequest,
  response: UniversalServerResponse,
): UniversalServerResponse {
  const type = request.header.get("content-type") ?? "";
  const isStream = method.methodKind !== "unary";
  const { status } = response;
  switch (status) {
    case 405: {
      const message = `${request.method}: ${method.name} takes POST only`;
      return refusal(response, { status, code: Code.Unimplemented, message, headers: { allow: "POST" } });
    }
    case 505: {
      const message = `${method.name} reads and answers on one stream, which needs HTTP/2; call it over HTTP/2`;
      return refusal(response, { status, code: Code.Unimplemented, message });
    }
    case 415: {
      const accepted = isStream
        ? `is for calls of one answer, and ${method.name} is a stream: application/connect+json (each message behind a byte of flags and four of its length) is accepted, and the types of Connect's streams, gRPC and gRPC-Web`
        : `is for streams, and ${method.name} has one answer: application/json is accepted, and application/proto and the types of gRPC and gRPC-Web`;
      return refusal(response, { status, message: `Content-Type: ${quote(type)} ${accepted}` });
    }
    default:
      return response;
  }
}

/** By the first bytes of its body, gRPC's status is known already. */
async function withGrpcStatus(
  response: UniversalServerResponse,
  trailer: Headers,
  words: Words,
): Promise<UniversalServerResponse> {
  if (trailer.get("grpc-status") !== String(Code.Internal)) return response;
  const message = await words(decodeURIComponent(trailer.get("grpc-message") ?? ""));
  if (message === null) return response;
  trailer.set("grpc-status", String(Code.InvalidArgument));
  trailer.set("grpc-message", encodeURIComponent(message));
  return response;
}

async function withConnectError(
  response: UniversalServerResponse,
  body: NonNullable<UniversalServerResponse["body"]>,
  words: Words,
): Promise<UniversalServerResponse> {
  const text = Buffer.concat(await Array.fromAsync(body));
  // One that is compressed is longer than ours ever are.
  const isPlain = response.header?.has("content-encoding") !== true;
  const message = isPlain ? await words(parsed<ErrorJson>(text.toString())?.message) : null;
  return message === null ? { ...response, body: once(text) } : refusal(response, { message });
}

/** A call that is refused before it begins has the end of its stream as its first bytes. */
async function* withEnd(
  body: NonNullable<UniversalServerResponse["body"]>,
  words: Words,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of body) {
    yield isFirst ? await endInWords(piece, words) : piece;
    isFirst = false;
  }
}

async function endInWords(piece: Uint8Array, words: Words): Promise<Uint8Array> {
  const [flags = 0] = piece;
  if (flags !== END_OF_CONNECT && flags !== END_OF_GRPC_WEB) return piece;
  const text = Buffer.from(piece.subarray(ENVELOPE_BYTES)).toString();
  if (flags === END_OF_CONNECT) {
    const end = parsed<{ readonly error?: ErrorJson }>(text);
    const message = await words(end?.error?.message);
    const code = codeToString(Code.InvalidArgument);
    return message === null ? piece : enveloped(jsonBytes({ ...end, error: { code, message } }), flags);
  }
  const message = await words(decodeURIComponent(/^grpc-message: (.*)\r$/m.exec(text)?.[1] ?? ""));
  if (message === null) return piece;
  const worded = text
    .replace(/^grpc-status: .*\r$/m, `grpc-status: ${Code.InvalidArgument}\r`)
    .replace(/^grpc-message: .*\r$/m, () => `grpc-message: ${encodeURIComponent(message)}\r`);
  return enveloped(new TextEncoder().encode(worded), flags);
}

/** As Connect writes an error. */
interface ErrorJson {
  readonly message?: string;
}

/** Null: it is no JSON. */
function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
