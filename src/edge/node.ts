import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { Code } from "@connectrpc/connect";
import { getRequestListener, RequestError } from "@hono/node-server";
import { answerBrokenRequests, endingWithin } from "../broken-request.ts";
import type { Tls } from "../tls/certificates.ts";
import { endIfUnread, isRefused } from "../unread-body.ts";
import { createEdge, type EdgeOptions } from "./app.ts";
import { errorResponse } from "./error-response.ts";
import { type EdgePort, securePort } from "./secure-port.ts";
import { tlsFetch } from "./tls-fetch.ts";

export interface RunningEdge {
  readonly url: string;
  /** Lets calls under way end, for at most `graceMs` (default 5,000), then cuts them. */
  close(graceMs?: number): Promise<void>;
}

/** Headers and body of a request have to come within it, and a connection has to say something. */
const REQUEST_MS = 10_000;
/** An edge that nobody calls looks at its certificate so often, to say that it is about to end. */
const LOOK_AT_TLS_MS = 60_000;
const TWO_HOSTS = "Host: is there more than once; send it once";

/** Serves the edge on Node. Port 0 takes a free one. */
export async function startEdge(
  options: EdgeOptions & {
    readonly host: string;
    readonly port: number;
    readonly requestMs?: number;
    /** How its port and its calls use TLS; default: they do not. */
    readonly tls?: Tls | null;
  },
): Promise<RunningEdge> {
  const { requestMs = REQUEST_MS, tls = null } = options;
  const callsByTls = tls !== null && options.upstreams.some((url) => url.startsWith("https:"));
  const edge = createEdge(callsByTls ? { fetch: await tlsFetch(tls), ...options } : options);
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const remote = incoming.socket.remoteAddress;
      return cutWithBody(await edge.fetch(request, { remote }), () => outgoing.destroy());
    },
    { errorHandler: refuse },
  );
  const http1 = createServer(
    // Node's own refusal of a missing Host is empty.
    { ...endingWithin(requestMs, requestMs), requireHostHeader: false },
    (request, response) => {
      if (isRefused(request)) return;
      endIfUnread(request, response);
      if ((request.headersDistinct["host"]?.length ?? 0) < 2) return listener(request, response);
      // Node would take the first; another program on the way may have believed the other one.
      response.writeHead(400, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify({ code: "invalid_argument", message: TWO_HOSTS }));
    },
  );
  answerBrokenRequests(http1);
  const isSecure = tls !== null && tls.certificates().own !== null;
  const server = isSecure
    ? securePort({ http1, handle: listener, tls, limitMs: requestMs })
    : plainPort(http1);
  await listen(server.port, options.host, options.port);
  const { port } = server.port.address() as AddressInfo;
  const looking = setInterval(() => tls?.certificates(), LOOK_AT_TLS_MS).unref();
  const shown = options.host === "0.0.0.0" || options.host === "::" ? "127.0.0.1" : options.host;
  return {
    url: `${isSecure ? "https" : "http"}://${shown.includes(":") ? `[${shown}]` : shown}:${port}`,
    close: (graceMs = 5_000) =>
      new Promise((resolve) => {
        clearInterval(looking);
        const cut = setTimeout(() => server.cut(), graceMs);
        server.port.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdle();
      }),
  };
}

function plainPort(http1: HttpServer): EdgePort {
  return {
    port: http1,
    closeIdle: () => http1.closeIdleConnections(),
    cut: () => http1.closeAllConnections(),
  };
}

/** A request that the adapter can't make a URL of never reaches the app; it would be answered with nothing but a 400. */
function refuse(error: unknown): Response {
  if (!(error instanceof RequestError)) return errorResponse(Code.Internal, "the edge has failed");
  return errorResponse(
    Code.InvalidArgument,
    "Host: it, or the path, is missing or malformed; send for example Host: 127.0.0.1:8080",
  );
}

/**
 * When a node's answer breaks off, the caller's has to break off as well. The adapter would instead end it
 * with a text of its own, inside of what the caller takes for the node's bytes, and log a stack.
 */
function cutWithBody(response: Response, cut: () => void): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        cut();
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen({ host, port }, resolve);
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new Error(`EDGE_PORT: ${port} on ${host} is taken; set EDGE_PORT to a free port`, {
      cause: error,
    });
  }
  if (error.code === "EACCES") {
    return new Error(`EDGE_PORT: ${port} needs rights that this user lacks; set EDGE_PORT to 1024 or above`, {
      cause: error,
    });
  }
  return new Error(`HOST: can't listen on ${host}:${port}: ${error.message}`, { cause: error });
}
