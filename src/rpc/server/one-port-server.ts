/**
 * One TCP port for Connect, gRPC, gRPC-Web and JSON, over HTTP/1.1 and HTTP/2, by TLS or in the clear. The first
 * bytes of a connection, or by TLS its ALPN, decide which of Node's two servers takes it over.
 *
 * Promises: no request, however malformed, ends the process; a connection that stays silent is
 * dropped, and so is a request that does not come to its end; `close` ends within its grace period, whatever the other
 * sides do.
 */
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { answerBrokenRequests, endingWithin } from "../../broken-request.ts";
import type { Clock } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { LatestFew } from "../../core/flow/latest-few.ts";
import type { Logger } from "../../core/logger.ts";
import { Http2Sessions } from "../../http2-sessions.ts";
import type { Tls } from "../../tls/certificates.ts";
import { readFirstBytes } from "../../tls/first-bytes.ts";
import { refusePlain } from "../../tls/refuse-plain.ts";
import { createTlsPort } from "../../tls/tls-port.ts";
import { endIfUnread, isRefused } from "../../unread-body.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "../connection.ts";
import type { RpcLimits } from "../limits.ts";
import { hasTwoHosts, hostProblem } from "./host-header.ts";
import { refuse } from "./refuse.ts";

export interface OnePortServer {
  /** The port that it got: another one than asked for only when that was 0. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more calls, lets those that run end, and after `graceMs` cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Longer than the edge's pool keeps a connection, so that it never sends a call into one being closed. */
const KEEP_ALIVE_MS = 75_000;
/** Finds peers that are gone without a word. */
const TCP_KEEP_ALIVE_MS = 30_000;

export function createOnePortServer(options: {
  readonly handler: NodeHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Pick<RpcLimits, "sniffMs" | "requestMs" | "maxHalfOpen" | "maxStreamsAConnection">;
  /** null: plaintext only. */
  readonly tls: Tls | null;
}): OnePortServer {
  const { clock, logger, limits, tls } = options;
  const sockets = new Set<net.Socket>();
  /** Those without a request so far. */
  const newcomers = new LatestFew<net.Socket>(limits.maxHalfOpen, (socket) => socket.destroy());
  const sessions = new Http2Sessions({ clock, logger, handshakeMs: limits.sniffMs });
  const http1Responses = new Set<http.ServerResponse>();
  let closing = false;

  const handle = (request: NodeRequest, response: NodeResponse): void => {
    const problem = hasTwoHosts(request.rawHeaders)
      ? "Host: is there more than once; send it once"
      : hostProblem("authority" in request ? request.authority : request.headers.host);
    if (problem !== null) return refuse(response, 400, "invalid_argument", problem);
    try {
      options.handler(request, response);
    } catch (error) {
      logger.error({ error, url: request.url }, "a request could not be handled");
      refuse(response, 500, "internal", "internal error");
    }
  };

  const h1 = http.createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      ...endingWithin(Math.min(limits.sniffMs, limits.requestMs), limits.requestMs),
      // Node's own refusal has an empty body; `handle` says what is wrong.
      requireHostHeader: false,
    },
    (request, response) => {
      if (isRefused(request)) return;
      newcomers.delete(request.socket);
      http1Responses.add(response);
      response.on("close", () => http1Responses.delete(response));
      if (closing) response.setHeader("Connection", "close");
      endIfUnread(request, response);
      handle(request, response);
    },
  );
  // Node enforces headersTimeout only on a server that listens itself; this starts its check.
  h1.emit("listening");
  answerBrokenRequests(h1);

  const h2 = http2.createServer({ settings: { maxConcurrentStreams: limits.maxStreamsAConnection } }, handle);

  const watch = (socket: net.Socket): void => {
    sockets.add(socket);
    newcomers.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      newcomers.delete(socket);
    });
  };
  const serve = (socket: net.Socket, isHttp2: boolean): void => {
    if (isHttp2) {
      // Emitted within the next line: a session does not show the socket that it has.
      h2.once("session", (session) => sessions.add(session, () => newcomers.delete(socket)));
      h2.emit("connection", socket);
    } else {
      h1.emit("connection", socket);
      socket.resume();
    }
  };
  const secure =
    tls === null
      ? null
      : createTlsPort({
          certificates: tls.certificates,
          handshakeMs: limits.sniffMs,
          logger,
          take(secured, socket, isHttp2) {
            // In its stead: it is the one that the two servers know.
            newcomers.delete(socket);
            watch(secured);
            serve(secured, isHttp2);
          },
        });

  const server = net.createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS },
    (socket) => {
      watch(socket);
      readFirstBytes(socket, clock, limits.sniffMs, (spoken) => {
        if (secure === null || tls === null) return serve(socket, spoken === "http2");
        if (spoken === "tls") return secure.accept(socket);
        if (tls.plain === "off") return refusePlain(socket, spoken);
        serve(socket, spoken === "http2");
      });
    },
  );

  return {
    listen: (host, port) => listen(server, host, port),
    async close(graceMs) {
      closing = true;
      const stopped = server.listening
        ? new Promise<void>((resolve) => server.close(() => resolve()))
        : Promise.resolve();
      const cancel = clock.after(graceMs, () => {
        sessions.destroy();
        for (const socket of sockets) socket.destroy();
      });
      sessions.close();
      for (const response of http1Responses) {
        if (!response.headersSent) response.setHeader("Connection", "close");
        // Headers of a stream are out already: its end alone would leave the connection open.
        response.on("close", () => response.socket?.destroySoon());
      }
      h1.closeIdleConnections();
      await stopped;
      cancel();
      sessions.destroy();
      // Stops the check that "listening" started; nothing is left to close.
      h1.close(() => {});
      h2.close(() => {});
    },
  };
}

function listen(server: net.Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const why =
        error.code === "EADDRINUSE"
          ? `PORT: ${port} on ${host} is taken by another process; choose another one, or 0 for any free port`
          : error.code === "EACCES"
            ? `PORT: ${port} on ${host} needs more rights than this process has; choose one above 1023`
            : error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND"
              ? `HOST: ${host} is no address of this machine`
              : `cannot listen on ${host}:${port}: ${error.message}`;
      reject(new ElasticJobError("failed_precondition", why, { cause: error }));
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}
