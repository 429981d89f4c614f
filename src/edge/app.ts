/**
 * The edge: takes calls over HTTP/1.1 from browsers, `curl` and clients, and passes them to a node.
 * It holds no state and knows no master: any node forwards to it. Web APIs only, so that it runs on
 * Deno, Node and whatever else has `fetch`.
 */
import { Code, cors as connectHeaders } from "@connectrpc/connect";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { consolePage } from "../console/page.ts";
import { IDEMPOTENCY_KEY, NOT_RUN, RETRY_AFTER, RETRY_AFTER_MS } from "../core/call-headers.ts";
import { quote } from "../core/errors.ts";
import { isLocalHost } from "../core/local-caller.ts";
import { shorten } from "../core/short-text.ts";
import { isOriginAllowed } from "./caller-check.ts";
import { errorResponse } from "./error-response.ts";
import { createCallHandler } from "./handle-call.ts";
import { askReadiness } from "./readiness.ts";
import { edgeMethods } from "./rpc-methods.ts";
import { createUpstreams } from "./upstreams.ts";

export interface EdgeOptions {
  /** URLs of nodes, at least one. */
  readonly upstreams: readonly string[];
  /** Origins of browser pages that may call, for example `https://ops.example.com`; `*`: all. */
  readonly allowedOrigins: readonly string[];
  /** A call must carry one of them; default: none, it is left to the nodes to ask. */
  readonly apiTokens?: readonly string[];
  /** How many calls may be under way, streams included; default 2,000. */
  readonly maxCalls?: number;
  /** Take only requests for localhost: for an edge that nothing else protects. */
  readonly dev: boolean;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

export function createEdge(options: EdgeOptions): Hono {
  const { upstreams, allowedOrigins, apiTokens = [], maxCalls, dev, fetch = globalThis.fetch } = options;
  const nodes = createUpstreams(upstreams);
  const methods = edgeMethods();
  const handleCall = createCallHandler({
    nodes,
    fetch,
    apiTokens,
    ...(maxCalls !== undefined && { maxCalls }),
  });
  const app = new Hono();

  app.use(async (c, next) => {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (dev && !isLocalHost(host)) {
      return errorResponse(
        Code.PermissionDenied,
        `Host: ${quote(host)} is refused in dev; use localhost, 127.0.0.1 or [::1]`,
      );
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !isOriginAllowed(origin, host, allowedOrigins)) {
      return errorResponse(
        Code.PermissionDenied,
        `Origin: ${quote(origin)} is not allowed to call; add it to ALLOWED_ORIGINS`,
      );
    }
    return next();
  });
  app.use(
    cors({
      // Those who are not allowed never get here.
      origin: (origin) => origin,
      allowMethods: [...connectHeaders.allowedMethods],
      allowHeaders: [...connectHeaders.allowedHeaders, "Authorization", IDEMPOTENCY_KEY],
      exposeHeaders: [...connectHeaders.exposedHeaders, RETRY_AFTER, RETRY_AFTER_MS, NOT_RUN],
      maxAge: 7_200,
    }),
  );

  app.get("/", (c) => c.html(consolePage(new URL(c.req.url).origin)));
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", async (c) => {
    const answer = await askReadiness(nodes, fetch, c.req.raw.signal);
    return answer.ok ? c.json({ ready: true }) : answer;
  });

  for (const [path, method] of methods) {
    app.post(path, (c) => handleCall(c.req.raw, method));
    app.all(path, () =>
      errorResponse(Code.Unimplemented, `${path} takes POST only`, {
        status: 405,
        headers: { allow: "POST, OPTIONS" },
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
