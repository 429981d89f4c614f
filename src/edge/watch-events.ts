/**
 * Watches as server-sent events, for `curl -N` and `EventSource`: each message of the stream is an event. An event's id is of
 * the state that it tells, so that who comes back with `Last-Event-ID` hears only of another one; nothing has to be kept for
 * that. What went by meanwhile is not told again: a watch is of how things stand.
 */
import { Code } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamFromJson,
  errorToJson,
} from "@connectrpc/connect/protocol-connect";
import { type Envelope, type EnvelopeReader, readEnvelopes } from "./envelopes.ts";
import { errorResponse } from "./error-response.ts";

/** Proxies drop what is silent for a minute, or for half of one. */
const HEARTBEAT_MS = 15_000;
/** When `EventSource` comes back after the connection has broken. */
const RETRY_MS = 1_000;
/** The id of the last event. `EventSource` would come back for ever, also after it: it is told not to. */
const ENDED = "end";

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // nginx would gather events.
  "x-accel-buffering": "no",
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `call`: makes the watch, as a POST of Connect's. */
export async function watchEvents(
  request: Request,
  call: (watch: Request) => Promise<Response>,
): Promise<Response> {
  const lastEventId = request.headers.get("last-event-id");
  if (lastEventId === ENDED) return new Response(null, { status: 204 });
  const query = new URL(request.url).searchParams;
  const twice = [...query.keys()].find((name) => query.getAll(name).length > 1);
  if (twice !== undefined) {
    return errorResponse(Code.InvalidArgument, `${twice}: is given twice; a name is accepted once`);
  }
  const answer = await call(asPost(request, Object.fromEntries(query)));
  if (answer.status !== 200 || answer.body === null) return answer;
  const messages = readEnvelopes(answer.body);
  const first = await messages.next().catch(() => null);
  if (first === null) return errorResponse(Code.Unavailable, "the connection to the node broke; try again");
  const refused = isEnd(first) ? endStreamFromJson(first.data) : null;
  if (refused?.error !== undefined) {
    await messages.cancel();
    const { error, metadata } = refused;
    return Response.json(errorToJson(error, undefined), {
      status: codeToHttpStatus(error.code),
      headers: metadata,
    });
  }
  return new Response(events(first, messages, lastEventId), { headers: HEADERS });
}

function asPost(request: Request, message: object): Request {
  const headers = new Headers({
    "content-type": "application/connect+json",
    "connect-protocol-version": "1",
  });
  const authorization = request.headers.get("authorization");
  if (authorization !== null) headers.set("authorization", authorization);
  const body = new Uint8Array(encodeEnvelope(0, encoder.encode(JSON.stringify(message))));
  return new Request(request.url, { method: "POST", headers, body, signal: request.signal });
}

const isEnd = ({ flags }: Envelope) => (flags & endStreamFlag) !== 0;

function events(
  first: Envelope,
  messages: EnvelopeReader,
  lastEventId: string | null,
): ReadableStream<Uint8Array> {
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  const write = async (controller: ReadableStreamDefaultController<Uint8Array>, message: Envelope) => {
    if (isEnd(message)) {
      clearInterval(heartbeat);
      controller.enqueue(encoder.encode(lastEvent(message)));
      controller.close();
      return messages.cancel();
    }
    const id = await idOf(message.data);
    // Only what is told first can be known already.
    const isKnown = message === first && id === lastEventId;
    controller.enqueue(
      encoder.encode(isKnown ? ": as it was\n\n" : `id: ${id}\ndata: ${decoder.decode(message.data)}\n\n`),
    );
  };
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
      // To who does not read, nothing is added.
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(": still here\n\n"));
      }, HEARTBEAT_MS);
      await write(controller, first);
    },
    async pull(controller) {
      try {
        const message = await messages.next();
        if (message !== null) return await write(controller, message);
        clearInterval(heartbeat);
        controller.close();
      } catch (error) {
        clearInterval(heartbeat);
        controller.error(error);
      }
    },
    cancel(reason) {
      clearInterval(heartbeat);
      return messages.cancel(reason);
    },
  });
}

/** `failure` has no id: who comes back then is to hear how things stand. */
function lastEvent({ data }: Envelope): string {
  const { error } = endStreamFromJson(data);
  if (error === undefined) return `id: ${ENDED}\nevent: end\ndata: {}\n\n`;
  return `event: failure\ndata: ${JSON.stringify(errorToJson(error, undefined))}\n\n`;
}

async function idOf(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", data);
  return new Uint8Array(hash).subarray(0, 12).toBase64({ alphabet: "base64url" });
}
