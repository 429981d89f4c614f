/**
 * The adapter refuses some calls without a word, and takes bytes that are no message of protobuf's for a fault of this
 * program. Both are put into words that say whose fault it is and what would be accepted, in the form of the call's protocol.
 */
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { quote } from "../../core/errors.ts";
import { toConnectError } from "../error-codes.ts";
import { adapterWords } from "./adapter-words.ts";
import { inOtherWords } from "./other-words.ts";
import { isBytes, refusal } from "./refusal.ts";
import { binaryProblem } from "./refuse-binary.ts";
import { SENT_BINARY, type SentBody, sentBinary } from "./sent-body.ts";

export function wordedRefusals(handler: UniversalHandler): UniversalHandler {
  const { input, methodKind } = handler.method;
  const worded = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const sent = methodKind === "unary" ? sentBinary(request) : null;
    const response = await handler(sent === null ? request : kept(request, sent));
    if (response.body === undefined && response.status >= 400) return withoutBody(handler, request, response);
    return inOtherWords(response, async (said) => {
      const problem = said.code === Code.Internal ? await binaryProblem(input, said.message, sent) : null;
      if (problem !== null) return toConnectError(problem);
      const words = adapterWords(said);
      return words === null ? null : new ConnectError(words.message, words.code);
    });
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
      const isRead = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS && !isStream;
      const verbs = isRead ? "GET and POST" : "POST";
      const message = `${request.method}: ${method.name} takes ${verbs} only`;
      const error = new ConnectError(message, Code.Unimplemented);
      return refusal(response, { error, status, headers: { allow: verbs.replace(" and", ",") } });
    }
    case 505: {
      const message = `${method.name} reads and answers on one stream, which needs HTTP/2; call it over HTTP/2`;
      return refusal(response, { error: new ConnectError(message, Code.Unimplemented), status });
    }
    case 415: {
      if (request.method === "GET") return refusal(response, { error: wrongQuery(request), status });
      const accepted = isStream
        ? `is for calls of one answer, and ${method.name} is a stream: application/connect+json (each message behind a byte of flags and four of its length) is accepted, and the types of Connect's streams, gRPC and gRPC-Web`
        : `is for streams, and ${method.name} has one answer: application/json is accepted, and application/proto and the types of gRPC and gRPC-Web`;
      const message = `Content-Type: ${quote(type)} ${accepted}`;
      return refusal(response, { error: new ConnectError(message, Code.InvalidArgument), status });
    }
    default:
      return response;
  }
}

/** A GET has in its query what a POST has in its body. */
function wrongQuery({ url }: UniversalServerRequest): ConnectError {
  const encoding = new URL(url).searchParams.get("encoding");
  const found = encoding === null ? "is missing" : `is ${quote(encoding)}`;
  const message = `encoding: ${found}; the query of a GET is accepted as encoding=json&message={…}, percent-encoded, or with encoding=proto and base64=1`;
  return new ConnectError(message, Code.InvalidArgument);
}
