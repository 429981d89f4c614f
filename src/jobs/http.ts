/**
 * Calls a URL. Other people name the URL, so only hosts that the operator allows are called, also
 * where a redirect leads, and only at addresses that are public or allowed by themselves; credentials stay
 * with the host that they were meant for, and no more of an answer is kept than a result can hold.
 */
import { parseExact } from "../core/json/exact-numbers.ts";
import { AddressJudge } from "./address-judge.ts";
import { checkPayload } from "./check-payload.ts";
import { type Handler, type HandlerContext, PermanentError, RetryError } from "./define-jobs.ts";
import { exactPayload } from "./exact-payload.ts";
import { checkHost, parseHostRules } from "./host-rules.ts";
import { HttpPayload, hasUser } from "./http-payload.ts";
import { refuseToCarryBody, type SentSecrets, sentSecrets } from "./http-secrets.ts";
import { readLimited } from "./limited-body.ts";
import { OwnAddresses } from "./own-addresses.ts";
import { redirected } from "./redirect.ts";
import { isRefusedPort } from "./refused-ports.ts";
import { type Resolve, resolveBySystem } from "./resolve.ts";
import { retryAfterMs } from "./retry-after.ts";
import { parseSecretHosts } from "./secret-hosts.ts";
import type { JobSecrets } from "./secret-references.ts";
import { type HttpRequest, RequestSender } from "./send-request.ts";
import { textOrBase64 } from "./text-or-base64.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 256 * 1024;
const MAX_REDIRECTS = 5;
/** The error shows so much of an answer that was not expected. */
const ERROR_BODY_CHARACTERS = 500;
/** Request Timeout, Too Early, Too Many Requests: other 4xx would be the same the next time. */
const TRANSIENT_4XX = [408, 425, 429];
export interface HttpSettings {
  /** As HTTP_ALLOWED_HOSTS has them. */
  readonly allowedHosts: readonly string[];
  /** Names and addresses of the cluster's servers. */
  readonly clusterHosts: readonly string[];
  /** As SECRET_HOSTS has them. */
  readonly secretHosts: readonly string[];
}

/** What a call is made with. */
interface Means {
  readonly rules: ReturnType<typeof parseHostRules>;
  readonly judge: AddressJudge;
  readonly sender: RequestSender;
  readonly secrets: SentSecrets;
  readonly signal: AbortSignal;
}

export function createHttp(
  settings: HttpSettings,
  known: JobSecrets,
  resolve: Resolve = resolveBySystem,
): Handler {
  const secretHosts = parseSecretHosts(settings.secretHosts);
  const rules = parseHostRules(settings.allowedHosts);
  const judge = new AddressJudge(rules, new OwnAddresses(settings.clusterHosts, resolve), resolve);
  const sender = new RequestSender();
  return async (job, ctx) => {
    const secrets = sentSecrets(exactPayload(job) ?? {}, known, secretHosts);
    const payload = checkPayload(HttpPayload, secrets.payload);
    const timeoutMs = payload.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([ctx.signal, limit]);
    try {
      const response = await call(payload, ctx, { rules, judge, sender, secrets, signal });
      const { bytes, isCut } = await readLimited(response.body, MAX_BODY_BYTES);
      checkStatus(payload, response, (length) => known.head(bytes.toString(), length));
      return outputOf(response, bytes, isCut ? (text) => known.cut(text) : null);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (limit.aborted)
        throw new Error(`${payload.url} has not answered within ${timeoutMs} ms`, { cause: error });
      throw error;
    }
  };
}

async function call(payload: HttpPayload, ctx: HandlerContext, means: Means): Promise<Response> {
  let url = new URL(payload.url);
  let request = requestOf(payload, ctx);
  means.secrets.checkHost(url);
  const secretHeaders = [...(payload.secretHeaders ?? []), ...means.secrets.headers];
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
    request = redirected(request, { status, isSameOrigin, secretHeaders });
    if (!isSameOrigin && request.body !== null && means.secrets.isInBody) refuseToCarryBody(url, next);
    url = next;
  }
}

function requestOf({ method, headers: given, body }: HttpPayload, ctx: HandlerContext): HttpRequest {
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

function headersOf(given: HttpPayload["headers"]): Headers {
  try {
    return new Headers(given);
  } catch (error) {
    throw new PermanentError(`payload.headers: ${error instanceof Error ? error.message : String(error)}`);
  }
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

/** `head` gives the beginning of the answer. */
function checkStatus(
  { expectedStatus, url }: HttpPayload,
  response: Response,
  head: (length: number) => string,
): void {
  const { status, headers } = response;
  const isExpected = expectedStatus === undefined ? response.ok : [expectedStatus].flat().includes(status);
  if (isExpected) return;
  const shown = head(ERROR_BODY_CHARACTERS);
  const message = `${url} answered ${status}${shown === "" ? "" : `: ${shown}`}`;
  const after = retryAfterMs(headers.get("retry-after"), Date.now());
  const isTransient = status >= 500 || TRANSIENT_4XX.includes(status);
  if (isTransient && after !== null) throw new RetryError(message, { after });
  if (status >= 300 && status <= 499 && !isTransient) throw new PermanentError(message);
  throw new Error(message);
}

/** `cut` is what makes of an answer's beginning, if that is all there is, a text that ends well. */
function outputOf({ status, headers }: Response, bytes: Buffer, cut: ((text: string) => string) | null) {
  const isCut = cut !== null;
  const contentType = headers.get("content-type") ?? "";
  const charset = /;\s*charset="?([^\s";]+)/i.exec(contentType)?.[1];
  const { text: read, isBase64 } = textOrBase64(bytes, charset, isCut);
  const text = cut?.(read) ?? read;
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
