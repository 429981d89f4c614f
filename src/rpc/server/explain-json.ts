/**
 * Refusals of JSON requests that name every field that is wrong. The pieces of a body are kept until it is
 * decoded, and looked at again when that fails, and for the times, to which the decoder is too good.
 */
import { type DescMessage, fromJsonString, type JsonValue } from "@bufbuild/protobuf";
import { createContextValues, type Interceptor } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { timeProblemsOfText } from "../../core/calendar/json-times.ts";
import { parseExact } from "../../core/json/exact-numbers.ts";
import { mayHoldSurrogates } from "../../core/json/json-faults.ts";
import { repeatedName } from "../../core/json/json-strings.ts";
import { withProtoDurations } from "../../core/plain-durations.ts";
import { findJsonProblems, refusalOf, repeatedProblem } from "../../core/request/json-problems.ts";
import { shorten } from "../../core/short-text.ts";
import { halfPair } from "../conversion/json-value.ts";
import { toConnectError } from "../error-codes.ts";
import { decodeJson } from "./decode-json.ts";
import { isBytes, once, refusal } from "./refusal.ts";
import { SENT_JSON, type SentBody, sentJson } from "./sent-body.ts";

/** Of what the decoder says. */
const MOST_SAID_CHARACTERS = 300;

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
  sent: SentBody,
): AsyncGenerator<T, void, undefined> {
  for await (const message of messages) {
    await checkNext(schema, sent);
    yield message;
  }
}

async function checkNext(schema: DescMessage, sent: SentBody): Promise<void> {
  const text = await sent.take();
  const problems = timeProblemsOfText(schema, text);
  if (problems.length > 0) throw toConnectError(refusalOf(problems));
}

/**
 * The same handler, but durations are taken as people write them ("3m"), and what it answers to JSON that is not good says
 * which fields are wrong. Both are looked into only when the decoder has refused the body.
 */
export function explainingJson(handler: UniversalHandler): UniversalHandler {
  const schema = handler.method.input;
  const explaining = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const sent = sentJson(request);
    if (sent === null) return handler(request);
    const response = await handler(keptRequest(request, sent));
    // Empty: it was refused before its body was read, or after it was decoded.
    if (response.status !== 400 || sent.isEmpty) return response;
    const text = await sent.take().catch(() => null);
    if (text === null) return response;
    const plain = handler.method.methodKind === "unary" ? withPlainDurations(schema, text) : null;
    if (plain !== null) {
      const again = withBody(request, plain);
      return handler(keptRequest(again, sentJson(again) ?? sent));
    }
    const message = explain(schema, text);
    return message === null ? response : refusal(response, { message });
  };
  return Object.assign(explaining, { ...handler });
}

function keptRequest(request: UniversalServerRequest, sent: SentBody): UniversalServerRequest {
  const contextValues = (request.contextValues ?? createContextValues()).set(SENT_JSON, sent);
  const body = isBytes(request.body) ? sent.keeping(request.body) : request.body;
  return { ...request, body, contextValues };
}

/** The body with its durations as protobuf has them, if it says all that is wrong; null: there is more. */
function withPlainDurations(schema: DescMessage, text: string): string | null {
  try {
    const json = JSON.parse(text) as JsonValue;
    const plain = withProtoDurations(schema, json);
    if (plain === json || findJsonProblems(schema, plain, decodeJson).length > 0) return null;
    // One of the two would be gone.
    if (repeatedName(text) !== null) return null;
    return JSON.stringify(withProtoDurations(schema, parseExact(text) as JsonValue));
  } catch {
    return null;
  }
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
    const why = error instanceof Error ? error.message : String(error);
    return shorten(`the body is not JSON: ${why}`, MOST_SAID_CHARACTERS);
  }
  // The answer says so already, and half a character would only be shown as it is not.
  if (mayHoldSurrogates(text) && halfPair(json) !== null) return null;
  const plain = withProtoDurations(schema, json);
  const problems = [...findJsonProblems(schema, plain, decodeJson), ...repeatedProblem(text)];
  if (problems.length === 0) return problemOfText(schema, text);
  return refusalOf(problems).message;
}

/** Where nothing better is known: the decoder's own words. */
function problemOfText(schema: DescMessage, text: string): string | null {
  try {
    fromJsonString(schema, text, { ignoreUnknownFields: false });
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return shorten(
      `the body: ${said.replace(/^cannot decode message \S+ from JSON: /, "")}`,
      MOST_SAID_CHARACTERS,
    );
  }
}
