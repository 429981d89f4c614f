/** An error that the adapter has written already, in other words, in the form of the call's protocol. */
import type { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeFromString, errorToJson } from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerParse, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { ENVELOPE_BYTES, enveloped } from "./body-kind.ts";
import { once, refusal } from "./refusal.ts";

const END_OF_CONNECT = 0b10;
const END_OF_GRPC_WEB = 0x80;

export interface Said {
  readonly code: Code;
  readonly message: string;
}

/** Null: it stays as it is. */
export type Words = (said: Said) => Promise<ConnectError | null>;

export async function inOtherWords(
  response: UniversalServerResponse,
  words: Words,
): Promise<UniversalServerResponse> {
  const { status, body, trailer } = response;
  if (trailer !== undefined) return withGrpcStatus(response, trailer, words);
  if (body === undefined) return response;
  const type = response.header?.get("content-type") ?? "";
  if (status >= 400 && type === "application/json") return withConnectError(response, body, words);
  return /^application\/(connect\+|grpc-web)/.test(type)
    ? { ...response, body: withEnd(body, words) }
    : response;
}

/** By the first bytes of its body, gRPC's status is known already. */
async function withGrpcStatus(
  response: UniversalServerResponse,
  trailer: Headers,
  words: Words,
): Promise<UniversalServerResponse> {
  await wordTrailer(trailer, words);
  return response;
}

/** False: it stays as it is. */
async function wordTrailer(trailer: Headers, words: Words): Promise<boolean> {
  const status = Number(trailer.get("grpc-status") ?? 0);
  const found =
    status === 0 ? null : await words({ code: status, message: decoded(trailer.get("grpc-message")) });
  if (found === null) return false;
  trailer.delete("grpc-status-details-bin");
  setTrailerStatus(trailer, found);
  return true;
}

async function withConnectError(
  response: UniversalServerResponse,
  body: NonNullable<UniversalServerResponse["body"]>,
  words: Words,
): Promise<UniversalServerResponse> {
  const text = Buffer.concat(await Array.fromAsync(body));
  // One that is compressed is longer than ours ever are.
  const isPlain = response.header?.has("content-encoding") !== true;
  const said = isPlain ? saidIn(parsed<ErrorJson>(text.toString())) : null;
  const found = said === null ? null : await words(said);
  if (found === null) return { ...response, body: once(text) };
  return refusal(response, { error: found });
}

/** A call that is refused before it begins has the end of its stream as its first bytes. */
async function* withEnd(
  body: NonNullable<UniversalServerResponse["body"]>,
  words: Words,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of body) {
    yield isFirst ? await endInWords(piece, words) : piece;
    isFirst = false;
  }
}

async function endInWords(piece: Uint8Array, words: Words): Promise<Uint8Array> {
  const [flags = 0] = piece;
  if (flags !== END_OF_CONNECT && flags !== END_OF_GRPC_WEB) return piece;
  const bytes = piece.subarray(ENVELOPE_BYTES);
  if (flags === END_OF_CONNECT) {
    const end = parsed<{ readonly error?: ErrorJson }>(Buffer.from(bytes).toString());
    const said = saidIn(end?.error ?? null);
    const found = said === null ? null : await words(said);
    if (found === null) return piece;
    const worded = JSON.stringify({ ...end, error: errorToJson(found, undefined) });
    return enveloped(new TextEncoder().encode(worded), flags);
  }
  const trailer = trailerParse(bytes);
  return (await wordTrailer(trailer, words)) ? enveloped(trailerSerialize(trailer), flags) : piece;
}

/** As Connect writes an error. */
interface ErrorJson {
  readonly code?: string;
  readonly message?: string;
}

function saidIn(error: ErrorJson | null): Said | null {
  const code = codeFromString(error?.code ?? "");
  return code === undefined ? null : { code, message: error?.message ?? "" };
}

function decoded(grpcMessage: string | null): string {
  try {
    return decodeURIComponent(grpcMessage ?? "");
  } catch {
    return grpcMessage ?? "";
  }
}

/** Null: it is no JSON. */
function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
