/** One call of the API: who calls, how much there is already, its body, and then on to a node. */
import { Code } from "@connectrpc/connect";
import { pause } from "../client/retry-policy.ts";
import { guesser } from "../core/audit/guessed-tokens.ts";
import { FORWARDED_FOR, IDEMPOTENCY_KEY, NOT_RUN, RETRY_AFTER } from "../core/call-headers.ts";
import { type ApiToken, checkToken } from "../core/callers/api-tokens.ts";
import { callerOf } from "../core/callers/caller.ts";
import { SlowDown } from "../core/callers/slow-down.ts";
import { answerInMs, callerDeadlineMs, DEFAULT_DEADLINE_MS } from "./call-deadline.ts";
import { acceptedContentType } from "./content-type.ts";
import { errorResponse } from "./error-response.ts";
import { createSpareCalls } from "./first-answer.ts";
import { forward } from "./forward.ts";
import { requestHeaders } from "./forwarded-headers.ts";
import { fromBase64, GRPC_WEB, isGrpcWebText, toGrpcWebText } from "./grpc-web-text.ts";
import { type CallLoad, createLoadLimit, MAX_CALLS, onBodyEnd } from "./load-limit.ts";
import type { Refusals } from "./log-refusals.ts";
import { BodyTooLarge, bodyTooLate, type RequestBody, readRequestBody } from "./request-body.ts";
import type { EdgeMethod } from "./rpc-methods.ts";
import type { Upstreams } from "./upstreams.ts";

/** By GET, the query says what it is. */
const ofQuery = { contentType: "application/json" };

/** What a node answers who does not know a token. */
const UNAUTHENTICATED = 401;
const UNKNOWN_AT_NODE =
  "this edge accepts the token, and the node behind it does not: whoever runs them has to give both the same tokens";

/** Enough for a node that is frozen, as a spare call is answered in milliseconds then; too few to harm nodes that are slow. */
const MAX_SPARE_CALLS = 64;

export function createCallHandler(options: {
  readonly nodes: Upstreams;
  readonly fetch: typeof globalThis.fetch;
  readonly tokens: () => readonly ApiToken[];
  readonly maxCalls?: number;
  readonly refusals?: Refusals;
}): (request: Request, method: EdgeMethod, remote: string) => Promise<Response> {
  const { nodes, fetch, tokens, maxCalls = MAX_CALLS, refusals } = options;
  const limit = createLoadLimit(maxCalls);
  const slowDown = new SlowDown();
  const spare = createSpareCalls(MAX_SPARE_CALLS);

  async function passOn(
    request: Request,
    method: EdgeMethod,
    remote: string,
    load: CallLoad,
  ): Promise<Response> {
    const isGet = request.method !== "POST";
    const accepted = isGet ? ofQuery : acceptedContentType(request.headers.get("content-type"));
    if ("problem" in accepted) return errorResponse(Code.InvalidArgument, accepted.problem, { status: 415 });
    const { contentType } = accepted;
    const headers = requestHeaders(request.headers);
    if (isGet) headers.delete("content-type");
    else headers.set("content-type", contentType);
    if (remote !== "") headers.set(FORWARDED_FOR, remote);
    if (method.adds && !headers.has(IDEMPOTENCY_KEY)) headers.set(IDEMPOTENCY_KEY, crypto.randomUUID());
    const deadlineMs = callerDeadlineMs(request.headers) ?? DEFAULT_DEADLINE_MS;
    const started = performance.now();
    let body = await readInTime(request, deadlineMs, load);
    if (body instanceof Response) return body;
    // `curl -X POST` without -d: the node then names the fields that are missing.
    if (!isGet && contentType === "application/json" && body.kind === "whole" && body.bytes.length === 0) {
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
    const query = isGet ? new URL(request.url).search : null;
    const call = { method, headers, query, body, deadlineMs: leftMs, signal: request.signal };
    const answer = await forward(call, nodes, fetch, spare);
    return isText ? toGrpcWebText(answer) : answer;
  }

  return async (request, method, remote) => {
    const accepted = tokens();
    /** Whose token it is; empty: none is asked for. */
    let name = "";
    if (accepted.length > 0) {
      const given = request.headers.get("authorization");
      const check = checkToken(accepted, given, method.name);
      if (check.kind === "forbidden") {
        refusals?.forbidden(callerOf(check.name, remote, null), method.name);
        return errorResponse(Code.PermissionDenied, check.message);
      }
      if (check.kind === "unknown") {
        if (given !== null) refusals?.guessed(guesser(remote, null), method.name);
        await pause(slowDown.waitMs(remote, performance.now()), request.signal);
        return errorResponse(Code.Unauthenticated, check.message, {
          headers: { "www-authenticate": "Bearer" },
        });
      }
      name = check.name;
    }
    const load = limit.enter();
    if (load === null) {
      const message = `this edge has ${maxCalls} calls under way already; try again, or run more edges`;
      return errorResponse(Code.Unavailable, message, { headers: { [RETRY_AFTER]: "1", [NOT_RUN]: "1" } });
    }
    try {
      const answer = await passOn(request, method, remote, load);
      if (name !== "" && answer.status === UNAUTHENTICATED) {
        refusals?.unknownAtNode(callerOf(name, remote, null), method.name);
        load.leave();
        return errorResponse(Code.Unauthenticated, UNKNOWN_AT_NODE);
      }
      // A stream lasts until its body ends; of anything else, the body is as good as here.
      if (method.streams) return onBodyEnd(answer, load.leave);
      load.leave();
      return answer;
    } catch (error) {
      load.leave();
      throw error;
    }
  };
}

/** A refusal when the body is too large, or did not come within the deadline. */
async function readInTime(
  request: Request,
  deadlineMs: number,
  load: CallLoad,
): Promise<RequestBody | Response> {
  // Not AbortSignal.timeout: it would be kept, with the call, until the deadline of a call that took milliseconds.
  const late = new AbortController();
  const limitMs = answerInMs(deadlineMs);
  const timer = setTimeout(() => late.abort(), limitMs);
  try {
    return await readRequestBody(request, AbortSignal.any([request.signal, late.signal]), load.mayHold);
  } catch (error) {
    if (error instanceof BodyTooLarge) {
      return errorResponse(Code.ResourceExhausted, error.message, { status: 413 });
    }
    if (!late.signal.aborted) return errorResponse(Code.Canceled, "the caller went away");
    return bodyTooLate(limitMs);
  } finally {
    clearTimeout(timer);
  }
}
