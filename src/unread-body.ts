/**
 * What is answered before its request has been read (a refusal) ends its HTTP/1.1 connection, and says so beforehand: the
 * next request would stand behind the rest of the body, and a client with a pool would have it held there, or lost.
 *
 * What the caller still sends is read for a while, and thrown away. A connection that is closed with bytes unread is
 * reset, and the reset can overtake the answer.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Enough to send the largest body over a fast network, and to read the answer over any. */
const LINGER_MS = 2_000;

export function endIfUnread(request: IncomingMessage, response: ServerResponse): void {
  if (!hasBody(request)) return;
  // By itself, an iteration that is left destroys the request, and loses its connection.
  request[Symbol.asyncIterator] = () => request.iterator({ destroyOnReturn: false });
  const { socket } = request;
  const { writeHead } = response;
  let ended = () => {};
  // The last moment: a handler decides only then that it has heard enough.
  const settled = (...head: Parameters<typeof writeHead>): ServerResponse => {
    response.writeHead = writeHead;
    if (!request.complete) {
      response.setHeader("connection", "close");
      const destroySoon = socket.destroySoon.bind(socket);
      ended = destroySoon;
      // Node calls it when the answer is written, and would close both directions.
      socket.destroySoon = () => {
        if (request.complete) destroySoon();
        else endSoon(socket, () => socket.end());
      };
    }
    return writeHead.apply(response, head);
  };
  response.writeHead = settled as typeof writeHead;
  response.once("finish", () => throwAway(request, socket, () => ended()));
}

/** Its connection was told to end before it came: nobody would hear what became of it. */
export function isRefused({ socket }: IncomingMessage): boolean {
  return !socket.writable;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Ends our side, and after a while the other. */
export function endSoon(socket: Duplex, end: () => void): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  end();
}

/**
 * Reads on, also where the connection was paused because nobody read the body. A handler that still reads it gets no more of
 * it, and above all no end: it would take what it has for the whole.
 */
export function throwAway(request: IncomingMessage, socket: Socket, ended: () => void): void {
  request.push = (chunk: unknown) => {
    if (chunk === null) ended();
    return true;
  };
  socket.resume();
}
