/**
 * Binary requests that cannot be decoded for a text that is not UTF-8 are refused with its field, which the decoder does not name.
 * The bytes are kept until they are decoded, and looked at only when that fails. What else is wrong is put into words elsewhere.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues, type Interceptor } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { invalidArgument } from "../../core/errors.ts";
import { badText } from "./binary-problems.ts";
import { isBytes, notOfItsKind, once, refusal } from "./refusal.ts";
import { SENT_BINARY, type SentBody, sentBinary } from "./sent-body.ts";

const UNDECODED = /^parse binary: /;

/** Whatever comes here was decoded; on streams, the failure comes this way itself. */
export const forgetBinary: Interceptor = (next) => async (request) => {
  if (request.stream) {
    return next({ ...request, message: decoded(request.method.input, request.message) });
  }
  request.contextValues.get(SENT_BINARY)?.forget();
  return next(request);
};

async function* decoded<T>(
  schema: DescMessage,
  messages: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    if (code !== Code.Internal || !UNDECODED.test(rawMessage)) throw error;
    throw new ConnectError(notOfItsKind(schema, rawMessage.replace(UNDECODED, "")), Code.InvalidArgument);
  }
}

export function refusingBinary(handler: UniversalHandler): UniversalHandler {
  const { input, methodKind } = handler.method;
  if (methodKind !== "unary") return handler;
  const refusing: UniversalHandler = Object.assign(async (request: UniversalServerRequest) => {
    const sent = sentBinary(request);
    if (sent === null || !isBytes(request.body)) return handler(request);
    const contextValues = (request.contextValues ?? createContextValues()).set(SENT_BINARY, sent);
    const response = await handler({ ...request, body: sent.keeping(request.body), contextValues });
    if (sent.isEmpty) return response;
    const { trailer } = response;
    if (trailer?.get("grpc-status") === String(Code.Internal)) {
      const said = decodeURIComponent(trailer.get("grpc-message") ?? "");
      if (!UNDECODED.test(said)) return response;
      const problem = await badTextIn(input, sent);
      if (problem === null) return response;
      trailer.set("grpc-status", String(Code.InvalidArgument));
      trailer.set("grpc-message", encodeURIComponent(problem));
      return response;
    }
    if (response.status !== 500 || !isBytes(response.body)) return response;
    const bytes = Buffer.concat(await Array.fromAsync(response.body));
    const problem = UNDECODED.test(messageOf(bytes)) ? await badTextIn(input, sent) : null;
    return problem === null ? { ...response, body: once(bytes) } : refusal(problem, response.header);
  }, handler);
  return refusing;
}

async function badTextIn(schema: DescMessage, sent: SentBody): Promise<string | null> {
  const bytes = await sent.takeBytes().catch(() => null);
  const problem = bytes === null ? null : badText(schema, bytes);
  return problem === null ? null : invalidArgument([problem]).message;
}

/** Of an error as Connect writes it; of anything else, nothing. */
function messageOf(bytes: Buffer): string {
  try {
    return (JSON.parse(bytes.toString()) as { message?: string }).message ?? "";
  } catch {
    return "";
  }
}
