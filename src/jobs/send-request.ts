/** One request, and its answer as `fetch` has it. `fetch` itself can't be told which address to connect to. */
import {
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

export interface HttpRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | null;
}

interface SendOptions {
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
}

/** Shorter than most servers keep one that is idle: a call on one that the server is closing would fail. */
const IDLE_MS = 4000;
const KEPT = { keepAlive: true, timeout: IDLE_MS };
/** What `fetch` sends, less what only browsers mean. */
const DEFAULT_HEADERS = { accept: "*/*", "accept-encoding": "gzip, deflate", "user-agent": "node" };
const BODILESS = [204, 205, 304];

/** Connections that are kept were made with the same judgement as a new one would be: each handler has its own. */
export class RequestSender {
  private readonly http = new HttpAgent(KEPT);
  private readonly https = new HttpsAgent(KEPT);

  send(url: URL, request: HttpRequest, { lookup, signal }: SendOptions): Promise<Response> {
    const { method, body } = request;
    const isSecure = url.protocol === "https:";
    const options: RequestOptions = {
      agent: isSecure ? this.https : this.http,
      method,
      headers: headersOf(request),
      lookup,
      signal,
    };
    return new Promise((resolve, reject) => {
      const sent = (isSecure ? requestHttps : requestHttp)(url, options);
      sent.on("response", (message) => {
        try {
          resolve(responseOf(message, method));
        } catch (error) {
          // Such as a status that is none.
          message.destroy();
          reject(error);
        }
      });
      sent.on("error", reject);
      sent.end(body ?? undefined);
    });
  }
}

function headersOf({ headers, body }: HttpRequest): Record<string, string> {
  const all: Record<string, string> = { ...DEFAULT_HEADERS, ...Object.fromEntries(headers) };
  if (body === null) return all;
  all["content-type"] ??= "text/plain;charset=UTF-8";
  all["content-length"] = String(Buffer.byteLength(body));
  return all;
}

function responseOf(message: IncomingMessage, method: string): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  if (method === "HEAD" || BODILESS.includes(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  const body = decoded(message, headers.get("content-encoding") ?? "");
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { status, headers });
}

/** In an encoding that nobody asked for, it stays as it is. */
function decoded(message: IncomingMessage, encoding: string): Readable {
  const decoder = decoderOf(encoding.toLowerCase());
  if (decoder === null) return message;
  // The one who reads it is told.
  pipeline(message, decoder).catch(() => {});
  return decoder;
}

function decoderOf(encoding: string) {
  if (encoding === "gzip" || encoding === "x-gzip") return createGunzip();
  if (encoding === "deflate") return createInflate();
  return encoding === "br" ? createBrotliDecompress() : null;
}
