/**
 * Refusals of JSON requests that name every field that is wrong. The pieces of a body are kept until it is
 * decoded, and looked at again when that fails, and for the times, to which the decoder is too good.
 */
import { type DescMessage, fromJsonString, type JsonValue } from "@bufbuild/protobuf";
import { Code, createContextValues, type Interceptor } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { timeProblemsOfText } from "../../core/calendar/json-times.ts";
import { ElasticJobError, invalidArgument, type Problem } from "../../core/errors.ts";
import { toConnectError } from "../error-codes.ts";
import { findJsonProblems, MAX_PROBLEMS } from "./json-problems.ts";
import { SENT_JSON, type SentJson, sentJson } from "./sent-json.ts";

/** Refuses instants that do not exist, and durations that go on after their s. Interceptors run after the request was decoded, and its JSON is of no more use after that. */
export const checkTimesOfJson: Interceptor = (next) => async (request) => {
  const sent = request.contextValues.get(SENT_JSON);
  if (sent === null) return next(request);
  const schema = request.method.input;
  if (request.stream) return next({ ...request, message: checked(schema, request.message, sent) });
  await checkNext(schema, sent);
  return next(request);
};

async function* checked<T>(
  schema: DescMessage,
  messages: AsyncIterable<T>,
  sent: SentJson,
): AsyncGenerator<T, void, undefined> {
  for await (const message of messages) {
    await checkNext(schema, sent);
    yield message;
  }
}

async function checkNext(schema: DescMessage, sent: SentJson): Promise<void> {
  const text = await sent.take();
  const problems = timeProblemsOfText(schema, text);
  if (problems.length > 0) throw toConnectError(refusalOf(problems));
}

/** The same handler, but what it answers to JSON that is not good says which fields are wrong. */
export function explainingJson(handler: UniversalHandler): UniversalHandler {
  const explaining = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const sent = sentJson(request);
    if (sent === null) return handler(request);
    const contextValues = (request.contextValues ?? createContextValues()).set(SENT_JSON, sent);
    const body = isBytes(request.body) ? sent.keeping(request.body) : request.body;
    const response = await handler({ ...request, body, contextValues });
    // Empty: it was refused before its body was read, or after it was decoded.
    if (response.status !== 400 || sent.isEmpty) return response;
    const message = await explain(handler.method.input, sent);
    return message === null ? response : refusal(message, response.header);
  };
  return Object.assign(explaining, { ...handler });
}

/** Null: the decoder's own message has to do. */
async function explain(schema: DescMessage, sent: SentJson): Promise<string | null> {
  let text: string;
  try {
    text = await sent.take();
  } catch {
    return null;
  }
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    return `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const problems = findJsonProblems(schema, json);
  if (problems.length === 0) return problemOfText(schema, text);
  return refusalOf(problems).message;
}

function refusalOf(problems: readonly Problem[]): ElasticJobError {
  const { code, message } = invalidArgument(problems.slice(0, MAX_PROBLEMS));
  return new ElasticJobError(code, problems.length > MAX_PROBLEMS ? `${message}; and more` : message);
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

function isBytes(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
