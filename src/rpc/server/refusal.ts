/** Answers that say what is wrong with a request, in Connect's own form. */
import type { ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";

export interface Refusal {
  readonly error: ConnectError;
  /** Default: that of the error's code. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** In place of `response`, whose other headers stay. */
export function refusal(
  response: Pick<UniversalServerResponse, "header">,
  { error, status = codeToHttpStatus(error.code), headers = {} }: Refusal,
): UniversalServerResponse {
  const bytes = errorToJsonBytes(error, undefined);
  const header = new Headers(response.header);
  for (const [name, value] of Object.entries(headers)) header.set(name, value);
  header.delete("content-encoding");
  header.set("content-type", "application/json");
  header.set("content-length", String(bytes.byteLength));
  return { status, header, body: once(bytes) };
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export function isBytes(
  body: UniversalServerRequest["body"] | UniversalServerResponse["body"],
): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
