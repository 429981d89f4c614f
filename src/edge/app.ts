/**
 * The edge: takes calls over HTTP/1.1 from browsers, `curl` and clients, and passes them to a node.
 * It holds no state and knows no master: any node forwards to it. Web APIs only, so that it runs on
 * Deno, Node and whatever else has `fetch`.
 */
import { Code, cors as connectHeaders } from "@connectrpc/connect";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { consolePage } from "../console/page.ts";
import { IDEMPOTENCY_KEY, NOT_RUN, RETRY_AFTER, RETRY_AFTER_MS } from "../core/call-headers.ts";
import type { ApiToken } from "../core/callers/api-tokens.ts";
import { foreignPage } from "../core/callers/foreign-page.ts";
import { isLocalCaller, ONLY_LOCAL } from "../core/callers/local-caller.ts";
import { shorten } from "../core/short-text.ts";
import { errorResponse } from "./error-response.ts";
import { createCallHandler } from "./handle-call.ts";
import type { Refusals } from "./log-refusals.ts";
import { openApiAnswer } from "./openapi.ts";
import { askReadiness } from "./readiness.ts";
import { edgeMethods } from "./rpc-methods.ts";
import { createUpstreams } from "./upstreams.ts";
import { watchEvents } from "./watch-events.ts";

export interface EdgeOptions {
  /** URLs of nodes, at least one. */
  readonly upstreams: readonly string[];
  /** Origins of browser pages that may call, for example `https://ops.example.com`; `*`: all. */
  readonly allowedOrigins: readonly string[];
  /** A call must carry one of them, as they are by now; default: none, only callers of this machine are answered. */
  readonly tokens?: () => readonly ApiToken[];
  /** Where there are no tokens: callers from everywhere are answered; default: they are not. */
  readonly isOpen?: boolean;
  /** Told when a caller's role does not allow a method; default: nobody is. */
  readonly refusals?: Refusals;
  /** How many calls may be under way, streams included; default 2,000. */
  readonly maxCalls?: number;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

/** What the platform knows of a request. */
export interface EdgeRequest {
  /** The address that it comes from; undefined: not known, so it is not of this machine. */
  readonly remote?: string | undefined;
}

const PROBES = ["/healthz", "/readyz"];

export function createEdge(options: EdgeOptions): Hono<{ Bindings: EdgeRequest }> {
  const {
    upstreams,
    allowedOrigins,
    tokens = () => [],
    maxCalls,
    refusals,
    fetch = globalThis.fetch,
  } = options;
  const isOnlyLocal = () => tokens().length === 0 && options.isOpen !== true;
  const nodes = createUpstreams(upstreams);
  const methods = edgeMethods();
  const handleCall = createCallHandler({
    nodes,
    fetch,
    tokens,
    ...(maxCalls !== undefined && { maxCalls }),
    ...(refusals !== undefined && { refusals }),
  });
  const app = new Hono<{ Bindings: EdgeRequest }>();

  app.use(async (c, next) => {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    const hasHeader = (name: string) => c.req.header(name) !== undefined;
    if (isOnlyLocal() && !PROBES.includes(c.req.path) && !isLocalCaller(c.env?.remote, host, hasHeader)) {
      return errorResponse(Code.Unauthenticated, ONLY_LOCAL);
    }
    const { method, path } = c.req;
    // The page may be looked at from anywhere; what it shows comes by calls.
    const isCall = methods.has(path) || (method !== "GET" && method !== "HEAD");
    const problem = isCall
      ? foreignPage(
          (name) => c.req.header(name),
          () => host,
          allowedOrigins,
          method,
        )
      : null;
    return problem === null ? next() : errorResponse(Code.PermissionDenied, problem);
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: [NONCE],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
      // Pages that are allowed read the answers of calls.
      crossOriginResourcePolicy: false,
      // Whether all of the host is to be reached by TLS is for who ends TLS to say.
      strictTransportSecurity: false,
    }),
  );
  app.use(
    cors({
      // Those who are not allowed never get here.
      origin: (origin) => origin,
      allowMethods: [...connectHeaders.allowedMethods],
      allowHeaders: [...connectHeaders.allowedHeaders, "Authorization", "Last-Event-ID", IDEMPOTENCY_KEY],
      exposeHeaders: [...connectHeaders.exposedHeaders, RETRY_AFTER, RETRY_AFTER_MS, NOT_RUN],
      maxAge: 7_200,
    }),
  );

  app.get("/", (c) => c.html(consolePage(new URL(c.req.url).origin, c.get("secureHeadersNonce"))));
  app.get("/openapi.json", (c) => openApiAnswer(c.req.header("if-none-match")));
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", async (c) => {
    const answer = await askReadiness(nodes, fetch, c.req.raw.signal);
    return answer.ok ? c.json({ ready: true }) : answer;
  });

  for (const [path, method] of methods) {
    app.post(path, (c) => handleCall(c.req.raw, method, c.env?.remote ?? ""));
    const { byGet } = method;
    if (byGet !== null) {
      app.get(path, async (c, next) => {
        const request = c.req.raw;
        // Of the answer to a HEAD, nobody would read, and end, the body.
        if (request.method !== "GET") return next();
        const call = (made: Request) => handleCall(made, method, c.env?.remote ?? "");
        return byGet === "events" ? watchEvents(request, call) : notStored(await call(request));
      });
    }
    const verbs = byGet === null ? "POST" : "GET and POST";
    app.all(path, () =>
      errorResponse(Code.Unimplemented, `${path} takes ${verbs} only`, {
        status: 405,
        headers: { allow: `${verbs.replace(" and", ",")}, OPTIONS` },
      }),
    );
  }
  const known = knownPaths([...methods.keys()]);
  app.notFound((c) => {
    return errorResponse(
      Code.Unimplemented,
      `${shorten(c.req.path, 100)} does not exist; what does: ${known}`,
      { status: 404 },
    );
  });
  app.onError((error) => errorResponse(Code.Internal, error.message));

  return app;
}

/** What is read by GET has changed by the next time. */
function notStored(answer: Response): Response {
  answer.headers.set("cache-control", "no-store");
  return answer;
}

/** The methods of each service behind its first one's short path. */
function knownPaths(paths: readonly string[]): string {
  const services = new Map<string, string[]>();
  for (const path of paths) {
    const [, service = "", method = ""] = path.split("/");
    if (service.includes(".")) continue;
    const named = services.get(service);
    if (named === undefined) services.set(service, [`/${service}/${method}`]);
    else named.push(method);
  }
  return [...services.values()].flat().join(", ");
}
