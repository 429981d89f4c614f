/**
 * Calls a URL. Other people name the URL, so only hosts that the operator allows are called, also
 * where a redirect leads, and only at addresses that are public or allowed by themselves; credentials stay
 * with the host that they were meant for, and no more of an answer is kept than a result can hold.
 */
import * as z from "zod";
import { parseExact } from "../core/json/exact-numbers.ts";
import { AddressJudge } from "./address-judge.ts";
import { checkPayload } from "./check-payload.ts";
import { type Handler, type HandlerContext, PermanentError, RetryError } from "./define-jobs.ts";
import { exactPayload } from "./exact-payload.ts";
import { checkHost, parseHostRules } from "./host-rules.ts";
import { readLimited } from "./limited-body.ts";
import { OwnAddresses } from "./own-addresses.ts";
import { namedTexts, passing, textField, textsField, wholeField } from "./payload-fields.ts";
import { redirected } from "./redirect.ts";
import { isRefusedPort } from "./refused-ports.ts";
import { type Resolve, resolveBySystem } from "./resolve.ts";
import { retryAfterMs } from "./retry-after.ts";
import { type HttpRequest, RequestSender } from "./send-request.ts";
import { textOrBase64 } from "./text-or-base64.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 86_400_000;
const MAX_BODY_BYTES = 256 * 1024;
const MAX_REDIRECTS = 5;
/** The error shows so much of an answer that was not expected. */
const ERROR_BODY_CHARACTERS = 500;
/** Request Timeout, Too Early, Too Many Requests: other 4xx would be the same the next time. */
const TRANSIENT_4XX = [408, 425, 429];
/** They belong to the connection, or to how the request is sent. */
const OWN_HEADERS = [
  "host",
  "content-length",
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const isStatus = (given: unknown) => Number.isInteger(given) && Number(given) >= 200 && Number(given) <= 599;
const isStatusOrList = (given: unknown) =>
  Array.isArray(given) ? given.length > 0 && given.every(isStatus) : isStatus(given);
const Payload = z
  .strictObject({
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
      z.string().refine((name) => !OWN_HEADERS.includes(name.toLowerCase()), {
        error: "is set by the call itself; leave it out",
      }),
      textField(),
    ).optional(),
    /** Names of headers that are for the first host alone. */
    secretHeaders: textsField(textField()).optional(),
    /** Text is sent as it is, anything else as JSON. */
    body: z.unknown().optional(),
    expectedStatus: passing<number | readonly number[]>(
      isStatusOrList,
      "a status from 200 to 599, or a list of them, is",
    ).optional(),
    timeoutMs: wholeField(1, MAX_TIMEOUT_MS).optional(),
  })
  .superRefine(({ headers = {}, secretHeaders = [] }, context) => {
    const given = Object.keys(headers).map((name) => name.toLowerCase());
    for (const [index, name] of secretHeaders.entries()) {
      if (given.includes(name.toLowerCase())) continue;
      // A name that is mistyped would leave the header unprotected.
      const message = "must be the name of a header that payload.headers has";
      context.addIssue({ code: "custom", path: ["secretHeaders", index], message });
    }
  });
type Payload = z.output<typeof Payload>;

export interface HttpSettings {
  /** As HTTP_ALLOWED_HOSTS has them. */
  readonly allowedHosts: readonly string[];
  /** Names and addresses of the cluster's servers. */
  readonly clusterHosts: readonly string[];
}

/** What a call is made with. */
interface Means {
  readonly rules: ReturnType<typeof parseHostRules>;
  readonly judge: AddressJudge;
  readonly sender: RequestSender;
  readonly signal: AbortSignal;
}

export function createHttp(settings: HttpSettings, resolve: Resolve = resolveBySystem): Handler {
  const rules = parseHostRules(settings.allowedHosts);
  const judge = new AddressJudge(rules, new OwnAddresses(settings.clusterHosts, resolve), resolve);
  const sender = new RequestSender();
  return async (job, ctx) => {
    const payload = checkPayload(Payload, exactPayload(job) ?? {});
    const timeoutMs = payload.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([ctx.signal, limit]);
    try {
      const response = await call(payload, ctx, { rules, judge, sender, signal });
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

async function call(payload: Payload, ctx: HandlerContext, means: Means): Promise<Response> {
  let url = new URL(payload.url);
  let request = requestOf(payload, ctx);
  for (let redirects = 0; ; redirects++) {
    const response = await send(url, request, means);
    const { status } = response;
    const location = response.headers.get("location");
    if (location === null || status < 300 || status > 399) return response;
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
    const isSameOrigin = next.origin === url.origin;
    request = redirected(request, { status, isSameOrigin, secretHeaders: payload.secretHeaders ?? [] });
    url = next;
  }
}

function requestOf({ method, headers: given, body }: Payload, ctx: HandlerContext): HttpRequest {
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

function hasUser({ username, password }: URL): boolean {
  return username !== "" || password !== "";
}

async function send(url: URL, request: HttpRequest, means: Means): Promise<Response> {
  const { rules, judge, sender, signal } = means;
  checkHost(url, rules);
  if (isRefusedPort(url)) {
    throw new PermanentError(
      `payload.url: port ${url.port} of ${url.href} belongs to another protocol, and is never called`,
    );
  }
  try {
    await judge.checkLiteral(url);
    return await sender.send(url, request, { lookup: judge.lookupFor(url), signal });
  } catch (error) {
    if (error instanceof PermanentError) throw error;
    throw new Error(`could not call ${url.href}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Of several addresses that were tried, the message of all together is empty. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
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
