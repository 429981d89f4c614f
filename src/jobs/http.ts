/**
 * Calls a URL. Other people name the URL, so only hosts that the operator allows are called, also
 * where a redirect leads, and no more of an answer is kept than a result can hold.
 */
import * as z from "zod";
import { parseExact } from "../core/json/exact-numbers.ts";
import { checkPayload } from "./check-payload.ts";
import { type Handler, type HandlerContext, PermanentError, RetryError } from "./define-jobs.ts";
import { exactPayload } from "./exact-payload.ts";
import { checkHost } from "./host-rules.ts";
import { readLimited } from "./limited-body.ts";
import { namedTexts, passing, textField, wholeField } from "./payload-fields.ts";
import { retryAfterMs } from "./retry-after.ts";
import { textOrBase64 } from "./text-or-base64.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 86_400_000;
const MAX_BODY_BYTES = 256 * 1024;
const MAX_REDIRECTS = 5;
/** The error shows so much of an answer that was not expected. */
const ERROR_BODY_CHARACTERS = 500;
/** Request Timeout, Too Early, Too Many Requests: other 4xx would be the same the next time. */
const TRANSIENT_4XX = [408, 425, 429];
/** Of a header that belongs to the call itself, such as transfer-encoding or expect. */
const REFUSED_HEADER = ["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"];
/** These keep method and body; the other redirects become a GET. */
const KEEPS_METHOD = [307, 308];

const isStatus = (given: unknown) => Number.isInteger(given) && Number(given) >= 200 && Number(given) <= 599;
const isStatusOrList = (given: unknown) =>
  Array.isArray(given) ? given.length > 0 && given.every(isStatus) : isStatus(given);
const Payload = z.strictObject({
  url: z
    .string({
      error: ({ input }) =>
        input === undefined ? "is required: the URL to call, with http or https" : "must be text: a URL",
    })
    .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""), {
      error: "must be a URL with http or https, such as https://example.com/path",
      abort: true,
    })
    .refine((text) => !hasUser(new URL(text)), {
      error: "must not hold a user or password; use an authorization header",
    }),
  method: textField()
    .regex(/^[A-Za-z]{1,16}$/, { error: "must be the name of a method, such as POST" })
    .optional(),
  headers: namedTexts(
    z.string().refine((name) => !["host", "content-length", "connection"].includes(name.toLowerCase()), {
      error: "is set by the call itself; leave it out",
    }),
    textField(),
  ).optional(),
  /** Text is sent as it is, anything else as JSON. */
  body: z.unknown().optional(),
  expectedStatus: passing<number | readonly number[]>(
    isStatusOrList,
    "a status from 200 to 599, or a list of them, is",
  ).optional(),
  timeoutMs: wholeField(1, MAX_TIMEOUT_MS).optional(),
});
type Payload = z.output<typeof Payload>;

export function createHttp(allowedHosts: readonly string[]): Handler {
  return async (job, ctx) => {
    const payload = checkPayload(Payload, exactPayload(job) ?? {});
    const timeoutMs = payload.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([ctx.signal, limit]);
    try {
      const response = await call(payload, ctx, allowedHosts, signal);
      const { bytes, isCut } = await readLimited(response.body, MAX_BODY_BYTES);
      checkStatus(payload, response, bytes);
      return outputOf(response, bytes, isCut);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (limit.aborted)
        throw new Error(`${payload.url} has not answered within ${timeoutMs} ms`, { cause: error });
      throw error;
    }
  };
}

async function call(
  payload: Payload,
  ctx: HandlerContext,
  allowedHosts: readonly string[],
  signal: AbortSignal,
): Promise<Response> {
  let url = new URL(payload.url);
  let request = requestOf(payload, ctx);
  for (let redirects = 0; ; redirects++) {
    checkHost(url, allowedHosts);
    const response = await send(url, { ...request, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (location === null || response.status < 300 || response.status > 399) return response;
    await response.body?.cancel();
    if (redirects === MAX_REDIRECTS)
      throw new PermanentError(`${payload.url} has led through ${MAX_REDIRECTS} redirects`);
    const next = URL.parse(location, url);
    if (next === null || !/^https?:$/.test(next.protocol)) {
      throw new PermanentError(`${url.href} redirects to ${location}, which is not a URL with http or https`);
    }
    if (hasUser(next)) {
      throw new PermanentError(`${url.href} redirects to a URL that holds a user or password`);
    }
    request = redirected(request, response.status, next.origin === url.origin);
    url = next;
  }
}

interface Request {
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | null;
}

function requestOf({ method, headers: given, body }: Payload, ctx: HandlerContext): Request {
  const headers = headersOf(given);
  // Repeated attempts of one occurrence can be told by the server that has the effect.
  if (!headers.has("idempotency-key")) headers.set("idempotency-key", ctx.idempotencyKey);
  if (body !== undefined && typeof body !== "string" && !headers.has("content-type")) {
    headers.set("content-type", "application/json");
  }
  const name = method?.toUpperCase() ?? (body === undefined ? "GET" : "POST");
  if (body !== undefined && (name === "GET" || name === "HEAD")) {
    throw new PermanentError(`payload.body: a ${name} has none; use another method, or leave the body out`);
  }
  if (["CONNECT", "TRACE", "TRACK"].includes(name))
    throw new PermanentError(`payload.method: ${name} is not supported`);
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  return { method: name, headers, body: text };
}

function headersOf(given: Payload["headers"]): Headers {
  try {
    return new Headers(given);
  } catch (error) {
    throw new PermanentError(`payload.headers: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function redirected({ method, headers, body }: Request, status: number, isSameOrigin: boolean): Request {
  const kept = new Headers(headers);
  // They were meant for the first host alone.
  if (!isSameOrigin) for (const name of ["authorization", "cookie"]) kept.delete(name);
  if (KEEPS_METHOD.includes(status) || method === "HEAD") return { method, headers: kept, body };
  kept.delete("content-type");
  return { method: "GET", headers: kept, body: null };
}

function hasUser({ username, password }: URL): boolean {
  return username !== "" || password !== "";
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    // Its own message is "fetch failed".
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const message = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (message === "bad port") {
      throw new PermanentError(
        `payload.url: port ${url.port} of ${url.href} belongs to another protocol, and is never called`,
      );
    }
    if (REFUSED_HEADER.includes(code)) throw new PermanentError(`payload.headers: ${message}`);
    throw new Error(`could not call ${url.href}: ${message}`, { cause: error });
  }
}

function checkStatus({ expectedStatus, url }: Payload, response: Response, bytes: Buffer): void {
  const { status, headers } = response;
  const isExpected = expectedStatus === undefined ? response.ok : [expectedStatus].flat().includes(status);
  if (isExpected) return;
  const shown = bytes.toString().slice(0, ERROR_BODY_CHARACTERS);
  const message = `${url} answered ${status}${shown === "" ? "" : `: ${shown}`}`;
  const after = retryAfterMs(headers.get("retry-after"), Date.now());
  const isTransient = status >= 500 || TRANSIENT_4XX.includes(status);
  if (isTransient && after !== null) throw new RetryError(message, { after });
  if (status >= 300 && status <= 499 && !isTransient) throw new PermanentError(message);
  throw new Error(message);
}

function outputOf({ status, headers }: Response, bytes: Buffer, isCut: boolean) {
  const contentType = headers.get("content-type") ?? "";
  const charset = /;\s*charset="?([^\s";]+)/i.exec(contentType)?.[1];
  const { text, isBase64 } = textOrBase64(bytes, charset, isCut);
  const isJson = !isCut && !isBase64 && /^application\/(.+\+)?json\b/i.test(contentType);
  return {
    status,
    contentType,
    body: isJson ? parsed(text) : text,
    ...(isBase64 ? { bodyEncoding: "base64" } : {}),
    ...(isCut ? { truncated: true } : {}),
  };
}

function parsed(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}
