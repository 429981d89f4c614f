/** The edge's port by TLS: HTTP/1.1 and HTTP/2 by ALPN; plaintext is told what to do, or answered while TLS_PLAIN says so. */
import type { Server as HttpServer } from "node:http";
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import net, { type Server, type Socket } from "node:net";
import { Http2Sessions } from "../http2-sessions.ts";
import { systemClock } from "../system-clock.ts";
import type { Tls } from "../tls/certificates.ts";
import { readFirstBytes } from "../tls/first-bytes.ts";
import { refusePlain } from "../tls/refuse-plain.ts";
import { createTlsPort } from "../tls/tls-port.ts";
import { edgeOutput } from "./edge-output.ts";

export interface EdgePort {
  /** What listens. */
  readonly port: Server;
  /** Ends the connections on which no call is under way, and lets the others end. */
  closeIdle(): void;
  /** Ends all of them. */
  cut(): void;
}

const MOST_STREAMS = 1_000;

export function securePort({
  http1,
  handle,
  tls,
  limitMs,
}: {
  readonly http1: HttpServer;
  readonly handle: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  readonly tls: Tls;
  /** Within it a connection has to say something, and to end its handshake. */
  readonly limitMs: number;
}): EdgePort {
  const sockets = new Set<Socket>();
  const sessions = new Http2Sessions({ clock: systemClock, logger: edgeOutput, handshakeMs: limitMs });
  const h2 = http2.createServer({ settings: { maxConcurrentStreams: MOST_STREAMS } }, handle);
  const secured = createTlsPort({
    certificates: tls.certificates,
    handshakeMs: limitMs,
    logger: edgeOutput,
    take(socket, _, isHttp2) {
      if (isHttp2) {
        // Emitted within the next line: a session does not show the socket that it has.
        h2.once("session", (session) => sessions.add(session, () => {}));
        h2.emit("connection", socket);
      } else {
        http1.emit("connection", socket);
      }
    },
  });
  const port = net.createServer({ noDelay: true, keepAlive: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    readFirstBytes(socket, systemClock, limitMs, (spoken) => {
      if (spoken === "tls") return secured.accept(socket);
      if (tls.plain === "off" || spoken === "http2") return refusePlain(socket, spoken);
      http1.emit("connection", socket);
      socket.resume();
    });
  });
  // Node enforces limits on headers only in a server that listens itself; this starts its check.
  http1.emit("listening");
  port.once("close", () => {
    http1.close(() => {});
    h2.close(() => {});
  });
  return {
    port,
    closeIdle() {
      sessions.close();
      http1.closeIdleConnections();
    },
    cut() {
      sessions.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}
