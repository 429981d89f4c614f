/** How the body of a call is to be read, by its headers: what it holds, and in what it comes. */
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";

/** A byte of flags and four of length, before each message (gRPC, gRPC-Web, and Connect's streams). */
export const ENVELOPE_BYTES = 5;
/** Of the flags. */
export const COMPRESSED = 1;

const CONTENT = /^application\/(?:(grpc-web|grpc|connect)(?:\+(json|proto))?|(json|proto))(?![\w+-])/i;
const ENCODING_HEADERS: Readonly<Record<string, string>> = {
  connect: "connect-content-encoding",
  grpc: "grpc-encoding",
  "grpc-web": "grpc-encoding",
};
const COMPRESSIONS: readonly Compression[] = [compressionGzip, compressionBrotli];

export interface BodyKind {
  readonly isJson: boolean;
  readonly isEnveloped: boolean;
  /** How the body is compressed, or its messages where they say so. */
  readonly encoding: string;
}

/** Null: it is no body of a call. */
export function bodyKindOf(header: Headers): BodyKind | null {
  const [, protocol, codec, unary] = CONTENT.exec(header.get("content-type") ?? "") ?? [];
  if (protocol === undefined && unary === undefined) return null;
  const name = ENCODING_HEADERS[protocol?.toLowerCase() ?? ""] ?? "content-encoding";
  return {
    isJson: (codec ?? unary)?.toLowerCase() === "json",
    isEnveloped: protocol !== undefined,
    encoding: header.get(name) ?? "identity",
  };
}

/** Null: it is none, or none that is known. */
export function compressionOf(encoding: string): Compression | null {
  return COMPRESSIONS.find(({ name }) => name === encoding) ?? null;
}

export function enveloped(message: Uint8Array, flags = 0): Uint8Array {
  const bytes = new Uint8Array(ENVELOPE_BYTES + message.byteLength);
  bytes[0] = flags;
  new DataView(bytes.buffer).setUint32(1, message.byteLength);
  bytes.set(message, ENVELOPE_BYTES);
  return bytes;
}
