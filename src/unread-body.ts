/**
 * What is answered before its request has been read (a refusal) ends its HTTP/1.1 connection, and says so beforehand: the
 * next request would stand behind the rest of the body, and a client with a pool would have it held there, or lost.
 *
 * What the caller still sends is read for a while, and thrown away. A connection that is closed with bytes unread is
 * reset, and the reset can overtake the answer.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Enough to send the largest body over a fast network, and to read the answer over any. */
const LINGER_MS = 2_000;

export function endIfUnread(request: IncomingMessage, response: ServerResponse): void {
  if (!hasBody(request)) return;
  // By itself, an iteration that is left destroys the request, and with it what reads the connection.
  request[Symbol.asyncIterator] = () => request.iterator({ destroyOnReturn: false });
  const { socket } = request;
  const { writeHead } = response;
  // The last moment: a handler decides only then that it has heard enough.
  const settled = (...head: Parameters<typeof writeHead>): ServerResponse => {
    response.writeHead = writeHead;
    if (!request.complete) {
      response.setHeader("connection", "close");
      lingerAtEnd(socket, request);
    }
    return writeHead.apply(response, head);
  };
  response.writeHead = settled as typeof writeHead;
  response.once("finish", () => throwAway(request));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function lingerAtEnd(socket: Socket, request: IncomingMessage): void {
  const destroySoon = socket.destroySoon.bind(socket);
  // Node calls it when the answer is written, and would close both directions.
  socket.destroySoon = () => {
    if (request.complete) return destroySoon();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    request.once("end", destroySoon);
  };
}

/** Also of a request that is here, but was not read to its end: its connection is paused until then. */
function throwAway(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return;
  request.removeAllListeners("readable").removeAllListeners("data");
  request.resume();
}
