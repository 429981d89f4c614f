/**
 * Passes one call to a node and its answer back, byte for byte. It tries again, on the next node, only
 * what cannot happen twice: a call of which no byte was sent (connection refused) or nothing was done (the
 * node says so), reads, and adds, which carry an `Idempotency-Key`. All within the caller's deadline, so that a failover is waited out.
 *
 * A call whose connection broke before an answer may have been what broke the node: it goes to one other, and to no more.
 */
import { Code } from "@connectrpc/connect";
import { backoffMs, pause, retryHintMs } from "../client/retry-policy.ts";
import { NOT_RUN, RETRY_AFTER } from "../core/call-headers.ts";
import { sentenceOf } from "../core/readiness/silence.ts";
import { answerInMs, setDeadline } from "./call-deadline.ts";
import { errorResponse } from "./error-response.ts";
import { firstAnswer, type SpareCalls } from "./first-answer.ts";
import { responseHeaders } from "./forwarded-headers.ts";
import { BodyTooLarge, bodyTooLate, type RequestBody } from "./request-body.ts";
import type { EdgeMethod } from "./rpc-methods.ts";
import { isRefused, whyUnreached } from "./unreached.ts";
import type { Upstreams } from "./upstreams.ts";

export interface ForwardedCall {
  readonly method: EdgeMethod;
  readonly headers: Headers;
  /** Of a GET, which has its request there; null: it is in the body. */
  readonly query: string | null;
  readonly body: RequestBody;
  /** Until the first byte of the answer; a stream then lasts as long as it lasts. */
  readonly deadlineMs: number;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
}

/** An add takes milliseconds, a list seldom a second; more patience would only make callers wait for a node that is frozen. */
const ASK_ANOTHER_AFTER_MS = 2_000;
const MOST_AT_ONCE = 3;
/** A node that dies of a call is silent before: so of what may be large enough for that, fewer are asked that say nothing. */
const LARGE_BYTES = 16 * 1024;
const COMPRESSIONS = ["content-encoding", "connect-content-encoding", "grpc-encoding"];
/** A refusal is here with its headers; if its node froze in between, it is not waited for. */
const READ_MS = 20;
/** How often a call is sent that may have broken a node. */
const MOST_IF_BROKEN = 2;

export async function forward(
  call: ForwardedCall,
  upstreams: Upstreams,
  fetch: typeof globalThis.fetch,
  spare: SpareCalls,
): Promise<Response> {
  const { method, body, signal } = call;
  const end = performance.now() + answerInMs(call.deadlineMs);
  const repeatable = body.kind === "whole" && (method.readsOnly || method.adds);
  /** What a node answered before another one was asked. */
  let refusal: Promise<Response | null> | null = null;
  /** Which nodes have not answered, and since when they were asked. */
  const asked = new Map<string, number>();
  const startedAt = performance.now();
  const most = mayBeLarge(call) ? MOST_IF_BROKEN : MOST_AT_ONCE;
  /** How often the call was sent and not answered, and how often because the connection broke. */
  const sent = { unanswered: 0, broken: 0 };
  const mayHaveBroken = () => sent.broken > 0 && sent.unanswered >= MOST_IF_BROKEN;
  for (let retry = 0; ; retry++) {
    const upstream = upstreams.current();
    let answer: Response | null = null;
    let problem: unknown = null;
    try {
      const start = async (cut: AbortSignal | null, earlier: number) => {
        if (earlier > 0) upstreams.failed(upstreams.current());
        const node = upstreams.current();
        if (!asked.has(node)) asked.set(node, performance.now());
        sent.unanswered++;
        try {
          const response = await attempt(call, cut, node, end - performance.now(), fetch);
          asked.delete(node);
          sent.unanswered--;
          return response;
        } catch (error) {
          if (isRefused(error)) sent.unanswered--;
          else if (isBroken(error, signal, cut)) sent.broken++;
          throw error;
        }
      };
      answer = repeatable
        ? await firstAnswer(start, {
            anotherAfterMs: ASK_ANOTHER_AFTER_MS,
            most,
            spare,
            mayAsk: () => !mayHaveBroken(),
          })
        : await start(null, 0);
      if (answer.status !== 503 || body.kind !== "whole") return answer;
      if (!repeatable && !answer.headers.has(NOT_RUN)) return answer;
    } catch (error) {
      if (signal.aborted) return errorResponse(Code.Canceled, "the caller went away");
      if (error instanceof BodyTooLarge || (error instanceof Error && error.cause instanceof BodyTooLarge)) {
        return errorResponse(Code.ResourceExhausted, new BodyTooLarge().message, { status: 413 });
      }
      if (error === OUT_OF_TIME) {
        if (body.kind === "stream" && body.awaitsCaller()) return bodyTooLate(performance.now() - startedAt);
        // A node that had something to say knows more.
        const said = refusal === null ? null : await Promise.race([refusal, pause(READ_MS).then(() => null)]);
        if (said !== null) return said;
        return outOfTime(asked, body.kind === "whole" || body.isHandedOn());
      }
      problem = error;
    }
    upstreams.failed(upstream);
    // The other nodes at once, then all again after a pause.
    const roundOver = (retry + 1) % upstreams.all.length === 0;
    const hintMs = answer === null ? 0 : retryHintMs(answer.headers);
    const waitMs = roundOver
      ? Math.max(backoffMs(Math.floor(retry / upstreams.all.length), Math.random), hintMs)
      : 0;
    const mayRepeat =
      answer !== null || (repeatable && !mayHaveBroken()) || (body.kind === "whole" && isRefused(problem));
    if (!mayRepeat || performance.now() + waitMs >= end) return answer ?? unreachable(upstream, problem);
    if (answer !== null) refusal = kept(answer);
    await pause(waitMs, signal);
    if (signal.aborted) return errorResponse(Code.Canceled, "the caller went away");
  }
}

/** Reads it, so that its connection is free for others. Null: it broke off. */
async function kept(answer: Response): Promise<Response | null> {
  const { status, headers } = answer;
  try {
    return new Response(await answer.arrayBuffer(), { status, headers });
  } catch {
    return null;
  }
}

const OUT_OF_TIME = Symbol("the deadline passed before the first byte of the answer");

async function attempt(
  { method, headers, query, body, signal }: ForwardedCall,
  cut: AbortSignal | null,
  upstream: string,
  leftMs: number,
  fetch: typeof globalThis.fetch,
): Promise<Response> {
  const sent = new Headers(headers);
  // A stream's deadline would end the stream itself: only the caller's own is passed on.
  if (!method.streams) setDeadline(sent, leftMs);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(OUT_OF_TIME), leftMs);
  try {
    // `duplex` is required for a body that is a stream, and not in TypeScript's types yet.
    const request: RequestInit & { duplex: "half" } = {
      method: query === null ? "POST" : "GET",
      headers: sent,
      ...(query === null && { body: body.kind === "whole" ? body.bytes : body.stream }),
      signal: AbortSignal.any([signal, late.signal, ...(cut === null ? [] : [cut])]),
      redirect: "manual",
      duplex: "half",
    };
    const response = await fetch(`${upstream}${method.path}${query ?? ""}`, request);
    return new Response(response.body, {
      status: response.status,
      headers: responseHeaders(response.headers),
    });
  } finally {
    clearTimeout(timer);
  }
}

function mayBeLarge({ headers, body }: ForwardedCall): boolean {
  const isCompressed = COMPRESSIONS.some((name) => (headers.get(name) ?? "identity") !== "identity");
  return isCompressed || body.kind !== "whole" || body.bytes.byteLength > LARGE_BYTES;
}

/** Neither this edge nor the caller ended it. */
function isBroken(error: unknown, caller: AbortSignal, cut: AbortSignal | null): boolean {
  return (
    error !== OUT_OF_TIME && !(error instanceof BodyTooLarge) && !caller.aborted && cut?.aborted !== true
  );
}

function unreachable(upstream: string, error: unknown): Response {
  const message = `no node answered; last tried ${upstream}: ${whyUnreached(upstream, error)}`;
  return errorResponse(Code.Unavailable, message, { headers: { [RETRY_AFTER]: "1" } });
}

/** A node that lives says why before that: so it is the node itself that is frozen, or cut off. */
function outOfTime(asked: ReadonlyMap<string, number>, hadAll: boolean): Response {
  const now = performance.now();
  const silent = [...asked].map(([who, since]) => sentenceOf({ who, how: "silent", ms: now - since }));
  const message = `no answer before the call's deadline: ${silent.join(", and ")}`;
  if (hadAll) return errorResponse(Code.DeadlineExceeded, message);
  const notRun = `${message}, and has not taken the whole body: nothing was done; try again`;
  return errorResponse(Code.DeadlineExceeded, notRun, { headers: { [RETRY_AFTER]: "1", [NOT_RUN]: "1" } });
}
