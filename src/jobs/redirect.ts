/** What a request becomes where it is redirected. */
import type { HttpRequest } from "./send-request.ts";

/** These keep method and body; the other redirects become a GET. */
const KEEPS_METHOD = [307, 308];
/** Whatever the payload says of them. */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

export interface Redirect {
  readonly status: number;
  /** Of scheme, host and port. */
  readonly isSameOrigin: boolean;
  /** Names of headers that the payload called secret. */
  readonly secretHeaders: readonly string[];
}

export function redirected(request: HttpRequest, redirect: Redirect): HttpRequest {
  const { method, body } = request;
  const { status, isSameOrigin, secretHeaders } = redirect;
  const headers = new Headers(request.headers);
  // They were meant for the first host alone, and do not come back if another redirect leads there again.
  if (!isSameOrigin) for (const name of [...CREDENTIALS, ...secretHeaders]) headers.delete(name);
  if (KEEPS_METHOD.includes(status) || method === "HEAD") return { method, headers, body };
  headers.delete("content-type");
  return { method: "GET", headers, body: null };
}
