/**
 * Refusals of JSON requests that name every field that is wrong. The pieces of a body are kept until it is
 * decoded, and looked at again when that fails, and for the times, to which the decoder is too good.
 */
import { type DescMessage, fromJsonString, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues, type Interceptor } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { timeProblemsOfText } from "../../core/calendar/json-times.ts";
import { ElasticJobError, invalidArgument } from "../../core/errors.ts";
import { mayHoldSurrogates } from "../../core/json/json-faults.ts";
import { findJsonProblems, refusalOf, repeatedProblem } from "../../core/request/json-problems.ts";
import { withProtoDurations, withProtoDurationTexts } from "../../core/request/plain-durations.ts";
import { shorten } from "../../core/short-text.ts";
import { halfPair } from "../conversion/json-value.ts";
import { toConnectError } from "../error-codes.ts";
import { adapterWords } from "./adapter-words.ts";
import { decodeJson } from "./decode-json.ts";
import { inOtherWords } from "./other-words.ts";
import { isBytes } from "./refusal.ts";
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
  try {
    for await (const message of messages) {
      await checkNext(schema, sent);
      yield message;
    }
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    const isOfDecoder = code === Code.InvalidArgument && adapterWords({ code, message: rawMessage }) === null;
    const why = isOfDecoder ? await explainSent(schema, sent) : null;
    throw why === null ? error : toConnectError(why);
  }
}

async function checkNext(schema: DescMessage, sent: SentBody): Promise<void> {
  const text = await sent.take();
  const problems = timeProblemsOfText(schema, withProtoDurationTexts(schema, text));
  if (problems.length > 0) throw toConnectError(refusalOf(problems));
}

/** The same handler, but what it answers to JSON that is not good says which fields are wrong, in the form of each protocol. It is looked into only when the decoder has refused it. */
export function explainingJson(handler: UniversalHandler): UniversalHandler {
  const schema = handler.method.input;
  const explaining = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const sent = sentJson(request);
    if (sent === null) return handler(request);
    const response = await handler(keptRequest(request, sent));
    return inOtherWords(response, async (said) => {
      if (said.code !== Code.InvalidArgument || adapterWords(said) !== null) return null;
      const why = await explainSent(schema, sent);
      return why === null ? null : toConnectError(why);
    });
  };
  return Object.assign(explaining, { ...handler });
}

function keptRequest(request: UniversalServerRequest, sent: SentBody): UniversalServerRequest {
  const contextValues = (request.contextValues ?? createContextValues()).set(SENT_JSON, sent);
  const body = isBytes(request.body) ? sent.keeping(request.body) : request.body;
  return { ...request, body, contextValues };
}

/** Null: it was refused before it was read, or after it was decoded; or the decoder's own message has to do. */
async function explainSent(schema: DescMessage, sent: SentBody): Promise<ElasticJobError | null> {
  const text = sent.isEmpty ? null : await sent.take().catch(() => null);
  return text === null ? null : explain(schema, text);
}

/** Null: the decoder's own message has to do. */
function explain(schema: DescMessage, text: string): ElasticJobError | null {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = shorten(`the body is not JSON: ${why}`, MOST_SAID_CHARACTERS);
    return new ElasticJobError("invalid_argument", message, { problems: [{ field: "", message }] });
  }
  // The answer says so already, and half a character would only be shown as it is not.
  if (mayHoldSurrogates(text) && halfPair(json) !== null) return null;
  const plain = withProtoDurations(schema, json);
  const problems = [...findJsonProblems(schema, plain, decodeJson), ...repeatedProblem(text)];
  if (problems.length > 0) return refusalOf(problems);
  const said = problemOfText(schema, text);
  return said === null ? null : invalidArgument([{ field: "the body", message: said }]);
}

/** Where nothing better is known: the decoder's own words. */
function problemOfText(schema: DescMessage, text: string): string | null {
  try {
    fromJsonString(schema, text, { ignoreUnknownFields: false });
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return shorten(said.replace(/^cannot decode message \S+ from JSON: /, ""), MOST_SAID_CHARACTERS);
  }
}
