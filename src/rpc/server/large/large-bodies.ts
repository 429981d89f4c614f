/**
 * Takes large requests out of a call's body before the protocol's handler decodes them in one go. It reads an empty message
 * in their place; the method gets the request from `SENT_REQUESTS`. What is compressed is taken for large.
 */
import { createContextValues } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { FORWARDED } from "../../../core/call-headers.ts";
import { SENT_REQUESTS } from "../../large-request.ts";
import { CALL_SHARE } from "../admission.ts";
import { bodyKindOf, compressionOf } from "../body-kind.ts";
import { SMALL_BODY_BYTES } from "../call-budget.ts";
import { isBytes, once } from "../refusal.ts";
import { withoutLarge } from "./envelopes.ts";
import { type HeldOptions, HeldRequests } from "./held-requests.ts";

export type BodyLimits = Pick<HeldOptions, "mostBytes" | "maxPayloadBytes" | "pause">;

/** Streams carry tables, whose texts need no objects. */
const SMALL_STREAMED_BYTES = 128 * 1024;

export function withLargeBodies(handler: UniversalHandler, limits: BodyLimits): UniversalHandler {
  const { input, output, methodKind } = handler.method;
  const taking = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const { body } = request;
    const kind = bodyKindOf(request.header);
    if (kind === null || request.method !== "POST" || !isBytes(body)) return handler(request);
    const { isJson, isEnveloped, encoding } = kind;
    const compression = compressionOf(encoding);
    // One that nobody knows is the handler's to refuse.
    if (compression === null && encoding !== "identity") return handler(request);
    const length = Number(request.header.get("content-length") ?? Number.NaN);
    const isUnary = methodKind === "unary";
    if (isUnary && compression === null && length <= SMALL_BODY_BYTES) return handler(request);

    const contextValues = request.contextValues ?? createContextValues();
    const share = contextValues.get(CALL_SHARE);
    const isForwarded = request.header.has(FORWARDED);
    const answerSchema = isJson && !isEnveloped ? output : null;
    const held = new HeldRequests({
      ...limits,
      schema: input,
      answerSchema,
      isJson,
      compression,
      isForwarded,
      share,
    });
    contextValues.set(SENT_REQUESTS, held);
    const empty = new TextEncoder().encode(isJson ? "{}" : "");
    if (isEnveloped) {
      const smallBytes = !isUnary && !isJson ? SMALL_STREAMED_BYTES : SMALL_BODY_BYTES;
      const inflates = compression !== null;
      const others = withoutLarge(body, held, { smallBytes, empty, waits: !isUnary, inflates });
      return handler({ ...request, body: others, contextValues });
    }
    const isSurelyLarge = compression !== null || length > SMALL_BODY_BYTES;
    if (!isSurelyLarge) {
      const taken = { ...request, body: ifSmall(body, held, empty), contextValues };
      return answered(await handler(taken), held);
    }
    const header = new Headers(request.header);
    header.delete("content-encoding");
    header.set("content-length", String(empty.byteLength));
    const taken = { ...request, header, body: inPlace(body, held, empty), contextValues };
    return answered(await handler(taken), held);
  };
  return Object.assign(taking, { ...handler });
}

function answered(response: UniversalServerResponse, { answer }: HeldRequests): UniversalServerResponse {
  if (answer === null || response.status !== 200) return response;
  const header = new Headers(response.header);
  header.delete("content-encoding");
  header.set("content-length", String(answer.byteLength));
  return { ...response, header, body: once(answer) };
}

/** Of a body that is large: the handler asks for it when the caller may call. */
async function* inPlace(
  body: AsyncIterable<Uint8Array>,
  held: HeldRequests,
  empty: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  held.add(await readAll(body, held), held.options.compression !== null);
  yield empty;
}

/** Of a body whose length nobody has said. */
async function* ifSmall(
  body: AsyncIterable<Uint8Array>,
  held: HeldRequests,
  empty: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = await readAll(body, held);
  const isSmall = bytes.byteLength <= SMALL_BODY_BYTES;
  if (!isSmall) held.add(bytes, false);
  if (isSmall || empty.byteLength > 0) yield isSmall ? bytes : empty;
}

async function readAll(body: AsyncIterable<Uint8Array>, held: HeldRequests): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.byteLength;
    held.check(size);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
