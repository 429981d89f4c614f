/**
 * The edge: takes calls over HTTP/1.1 from browsers, `curl` and clients, and passes them to a node.
 * It holds no state and knows no master: any node forwards to it. Web APIs only, so that it runs on
 * Deno, Node and whatever else has `fetch`.
 */
import { Code, cors as connectHeaders } from "@connectrpc/connect";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { NOT_RUN } from "../client/retry.ts";
import { consolePage } from "../console/page.ts";
import { bearerToken, isOneOf } from "../core/bearer-token.ts";
import { callerDeadlineMs, DEFAULT_DEADLINE_MS } from "./call-deadline.ts";
import { isLocalHost, isOriginAllowed } from "./caller-check.ts";
import { acceptedContentType, refusedContentType } from "./content-type.ts";
import { errorResponse } from "./error-response.ts";
import { forward } from "./forward.ts";
import { requestHeaders } from "./forwarded-headers.ts";
import { fromBase64, GRPC_WEB, isGrpcWebText, toGrpcWebText } from "./grpc-web-text.ts";
import { askReadiness } from "./readiness.ts";
import { BodyTooLarge, type RequestBody, readRequestBody } from "./request-body.ts";
import { type EdgeMethod, edgeMethods } from "./rpc-methods.ts";
import { createUpstreams } from "./upstreams.ts";

export interface EdgeOptions {
  /** URLs of nodes, at least one. */
  readonly upstreams: readonly string[];
  /** Origins of browser pages that may call, for example `https://ops.example.com`; `*`: all. */
  readonly allowedOrigins: readonly string[];
  /** Of which a call must carry one; default: none, it is left to the nodes to ask. */
  readonly apiTokens?: readonly string[];
  /** Take only requests for localhost: for an edge that nothing else protects. */
  readonly dev: boolean;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

export function createEdge(options: EdgeOptions): Hono {
  const { upstreams, allowedOrigins, apiTokens = [], dev, fetch = globalThis.fetch } = options;
  const nodes = createUpstreams(upstreams);
  const methods = edgeMethods();
  const app = new Hono();

  app.use(async (c, next) => {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (dev && !isLocalHost(host)) {
      return errorResponse(
        Code.PermissionDenied,
        `Host: "${host}" is refused in dev; use localhost, 127.0.0.1 or [::1]`,
      );
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !isOriginAllowed(origin, host, allowedOrigins)) {
      return errorResponse(
        Code.PermissionDenied,
        `Origin: "${origin}" is not allowed to call; add it to ALLOWED_ORIGINS`,
      );
    }
    return next();
  });
  app.use(
    cors({
      // Those who are not allowed never get here.
      origin: (origin) => origin,
      allowMethods: [...connectHeaders.allowedMethods],
      allowHeaders: [...connectHeaders.allowedHeaders, "Authorization", "Idempotency-Key"],
      exposeHeaders: [...connectHeaders.exposedHeaders, "Retry-After", "Retry-After-Ms", NOT_RUN],
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
  app.notFound((c) => {
    const known = [...methods.keys()].filter((path) => !path.startsWith("/elasticjob.v1."));
    return errorResponse(
      Code.Unimplemented,
      `${c.req.path} does not exist; what does: ${[...known, "/", "/healthz", "/readyz"].join(", ")}`,
      { status: 404 },
    );
  });
  app.onError((error) => errorResponse(Code.Internal, error.message));

  async function handleCall(request: Request, method: EdgeMethod): Promise<Response> {
    if (apiTokens.length > 0 && !isOneOf(bearerToken(request.headers.get("authorization")), apiTokens)) {
      return errorResponse(
        Code.Unauthenticated,
        "this cluster asks for an API token: send `Authorization: Bearer <token>`",
        { headers: { "www-authenticate": "Bearer" } },
      );
    }
    const given = request.headers.get("content-type");
    const contentType = acceptedContentType(given);
    if (contentType === null) {
      return errorResponse(Code.InvalidArgument, refusedContentType(given), { status: 415 });
    }
    const headers = requestHeaders(request.headers);
    headers.set("content-type", contentType);
    if (method.adds && !headers.has("idempotency-key")) headers.set("idempotency-key", crypto.randomUUID());
    const callerMs = callerDeadlineMs(request.headers);
    const deadlineMs = callerMs ?? DEFAULT_DEADLINE_MS;
    const started = performance.now();
    let body: RequestBody;
    const slow = AbortSignal.timeout(deadlineMs);
    try {
      body = await readRequestBody(request, AbortSignal.any([request.signal, slow]));
    } catch (error) {
      if (error instanceof BodyTooLarge) {
        return errorResponse(Code.ResourceExhausted, error.message, { status: 413 });
      }
      if (!slow.aborted) return errorResponse(Code.Canceled, "the caller went away");
      return errorResponse(
        Code.DeadlineExceeded,
        `the request's body did not arrive within ${deadlineMs} ms`,
      );
    }
    // `curl -X POST` without -d: the node then names the fields that are missing.
    if (contentType === "application/json" && body.kind === "whole" && body.bytes.length === 0) {
      body = { kind: "whole", bytes: new TextEncoder().encode("{}") };
    }
    const isText = isGrpcWebText(contentType);
    if (isText) {
      const bytes = body.kind === "whole" ? fromBase64(body.bytes) : null;
      if (bytes === null) {
        const message =
          "the body is no base64, or larger than 1 MiB; send what is large as application/grpc-web";
        return errorResponse(Code.InvalidArgument, message);
      }
      body = { kind: "whole", bytes };
      headers.set("content-type", GRPC_WEB);
      headers.set("accept", GRPC_WEB);
    }
    const leftMs = deadlineMs - (performance.now() - started);
    const call = { method, headers, body, deadlineMs: leftMs, signal: request.signal };
    const answer = await forward(call, nodes, fetch);
    return isText ? toGrpcWebText(answer) : answer;
  }

  return app;
}
