/**
 * Requests over HTTP/1.1 that never become a call: what is no HTTP, and what does not come to its end in time. Node's own
 * answers to them are empty.
 *
 * Promises: after such an answer not a byte of the request's body reaches a handler, so that nothing of it is done.
 */
import { type IncomingMessage, maxHeaderSize, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { NOT_RUN, RETRY_AFTER, RETRY_AFTER_MS } from "./core/call-headers.ts";
import { endSoon, throwAway } from "./unread-body.ts";

const CHECKS_A_LIMIT = 20;
/** A caller who sent all of it, to a server that was too busy to see it, may come again. */
const NOT_DONE = { [NOT_RUN]: "1", [RETRY_AFTER]: "1", [RETRY_AFTER_MS]: "1000" };
const MAX_CHECK_MS = 500;

/** Settings of a server that ends headers, and requests, within these limits: Node only looks from time to time, and its timers are late. */
export function endingWithin(headersMs: number, requestMs: number) {
  const connectionsCheckingInterval = Math.min(MAX_CHECK_MS, headersMs / CHECKS_A_LIMIT);
  return {
    headersTimeout: headersMs - 2 * connectionsCheckingInterval,
    requestTimeout: requestMs - connectionsCheckingInterval,
    connectionsCheckingInterval,
  };
}

export function answerBrokenRequests(server: Server): void {
  const latest = new WeakMap<Duplex, ServerResponse<IncomingMessage>>();
  server.on("request", (request, response) => latest.set(request.socket, response));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const response = latest.get(socket);
    const isAnswering = response !== undefined && response.headersSent && !response.writableFinished;
    if (!socket.writable || isAnswering || error.code === "ECONNRESET") return void socket.destroy();
    const request = response === undefined || response.writableFinished ? null : response.req;
    if (request === null) {
      endSoon(socket, () => socket.end(answerTo(error, server, null)));
      socket.resume();
      return;
    }
    const answer = answerTo(error, server, request);
    endSoon(socket, () => socket.end(answer));
    throwAway(request, request.socket, () => socket.destroy());
  });
}

interface Refusal {
  readonly status: string;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function answerTo(error: NodeJS.ErrnoException, server: Server, request: IncomingMessage | null): string {
  const { status, code, message, headers = {} } = refusalOf(error, server, request);
  const body = JSON.stringify({ code, message });
  const lines = Object.entries({
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join("")}\r\n${body}`;
}

function refusalOf(
  { code, message }: NodeJS.ErrnoException,
  server: Server,
  request: IncomingMessage | null,
): Refusal {
  const invalid = (status: string, said: string): Refusal => ({
    status,
    code: "invalid_argument",
    message: said,
  });
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT": {
      const ms = request === null ? server.headersTimeout : server.requestTimeout;
      const within = `within ${(ms / 1000).toFixed(1)} s`;
      // What has come waits to be read: whoever is slow, it is not the caller.
      if (request !== null && request.readableLength > 0) return laterThan(within);
      const what = request === null ? "no request has come" : "the request's body has not come to its end";
      const said = `${what} ${within}; nothing of it was done`;
      return { status: "408 Request Timeout", code: "deadline_exceeded", message: said, headers: NOT_DONE };
    }
    case "HPE_HEADER_OVERFLOW":
      return invalid(
        "431 Request Header Fields Too Large",
        `the headers: at most ${maxHeaderSize} bytes are accepted`,
      );
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return invalid("413 Content Too Large", "the body: its chunks have extensions that are too long");
    default:
      return invalid("400 Bad Request", `what was sent is no HTTP/1.1: ${message}`);
  }
}

function laterThan(within: string): Refusal {
  return {
    status: "429 Too Many Requests",
    code: "resource_exhausted",
    message: `there was no room to take the whole body ${within}; nothing of it was done; try again`,
    headers: NOT_DONE,
  };
}
