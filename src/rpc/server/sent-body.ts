/** The bytes that a caller sent, kept until they are decoded: as one body, or as messages in envelopes. */
import { base64Decode } from "@bufbuild/protobuf/wire";
import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { decodeUtf8 } from "../../core/json/utf8.ts";

/** A byte of flags and four of length (gRPC, gRPC-Web, and Connect's streams). */
const ENVELOPE_BYTES = 5;
const COMPRESSED = 1;

export class SentBody {
  private pieces: Uint8Array[] = [];
  private readonly isEnveloped: boolean;
  private readonly encoding: string | null;

  constructor(isEnveloped: boolean, encoding: string | null) {
    this.isEnveloped = isEnveloped;
    this.encoding = encoding;
  }

  /** Of a request that carries its message in its URL. */
  static ofQuery(query: URLSearchParams): SentBody {
    const sent = new SentBody(false, query.get("compression"));
    const message = query.get("message") ?? "";
    sent.keep(query.get("base64") === "1" ? base64Decode(message) : new TextEncoder().encode(message));
    return sent;
  }

  /** The same bytes, which are kept as they pass. */
  async *keeping(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of body) {
      this.keep(piece);
      yield piece;
    }
  }

  private keep(piece: Uint8Array): void {
    this.pieces.push(piece);
  }

  forget(): void {
    this.pieces = [];
  }

  get isEmpty(): boolean {
    return this.pieces.length === 0;
  }

  /** The text of the next message. */
  async take(): Promise<string> {
    return decodeUtf8(await this.takeBytes(), "the body");
  }

  /** The next message, at which the decoder has looked: so it is there as a whole, and within the limits. */
  async takeBytes(): Promise<Uint8Array> {
    const [first, ...more] = this.pieces;
    // A piece may hold many messages, and is not to be copied for each.
    const bytes =
      first !== undefined && more.length === 0
        ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
        : Buffer.concat(this.pieces);
    this.pieces = [];
    if (!this.isEnveloped) return plainBytes(bytes, this.encoding);
    const end = ENVELOPE_BYTES + bytes.readUInt32BE(1);
    if (bytes.byteLength > end) this.pieces.push(bytes.subarray(end));
    const isCompressed = ((bytes[0] ?? 0) & COMPRESSED) !== 0;
    return plainBytes(bytes.subarray(ENVELOPE_BYTES, end), isCompressed ? this.encoding : null);
  }
}

export const SENT_JSON: ContextKey<SentBody | null> = createContextKey<SentBody | null>(null, {
  description: "JSON of a request that is not decoded yet",
});
export const SENT_BINARY: ContextKey<SentBody | null> = createContextKey<SentBody | null>(null, {
  description: "a binary request that is not decoded yet",
});

const JSON_CONTENT = /^application\/(json|connect\+json|grpc\+json|grpc-web\+json)(?![\w+])/i;
const BINARY_CONTENT = /^application\/(proto|grpc|grpc\+proto)(?![\w+-])/i;
const ENCODING_HEADERS: Readonly<Record<string, string>> = {
  json: "content-encoding",
  "connect+json": "connect-content-encoding",
};

/** What will be kept of a request; null: its messages are not JSON. */
export function sentJson({ method, url, header }: UniversalServerRequest): SentBody | null {
  if (method === "GET") {
    const query = new URL(url).searchParams;
    return query.get("encoding") === "json" ? SentBody.ofQuery(query) : null;
  }
  const kind = JSON_CONTENT.exec(header.get("content-type") ?? "")?.[1]?.toLowerCase();
  if (kind === undefined) return null;
  return new SentBody(kind !== "json", header.get(ENCODING_HEADERS[kind] ?? "grpc-encoding"));
}

/** The same of a request with one binary message, by Connect or gRPC. */
export function sentBinary({ header }: UniversalServerRequest): SentBody | null {
  const kind = BINARY_CONTENT.exec(header.get("content-type") ?? "")?.[1]?.toLowerCase();
  if (kind === undefined) return null;
  return kind === "proto"
    ? new SentBody(false, header.get("content-encoding"))
    : new SentBody(true, header.get("grpc-encoding"));
}

async function plainBytes(bytes: Buffer, encoding: string | null): Promise<Uint8Array> {
  for (const compression of [compressionGzip, compressionBrotli]) {
    // It was decompressed before, within the limit.
    if (compression.name === encoding) {
      return compression.decompress(bytes, Number.MAX_SAFE_INTEGER);
    }
  }
  return bytes;
}
