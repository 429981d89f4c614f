/** Answers that say what is wrong with a request, in Connect's own form. */
import { Code } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";

export interface Refusal {
  readonly message: string;
  /** Default: the request's fault. */
  readonly status?: number;
  readonly code?: Code;
  readonly headers?: Readonly<Record<string, string>>;
}

/** In place of `response`, whose other headers stay. */
export function refusal(
  response: Pick<UniversalServerResponse, "header">,
  { message, status = 400, code = Code.InvalidArgument, headers = {} }: Refusal,
): UniversalServerResponse {
  const bytes = jsonBytes({ code: codeToString(code), message });
  const header = new Headers(response.header);
  for (const [name, value] of Object.entries(headers)) header.set(name, value);
  header.delete("content-encoding");
  header.set("content-type", "application/json");
  header.set("content-length", String(bytes.byteLength));
  return { status, header, body: once(bytes) };
}

export function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export function isBytes(
  body: UniversalServerRequest["body"] | UniversalServerResponse["body"],
): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
