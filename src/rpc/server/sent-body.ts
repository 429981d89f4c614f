/** The bytes that a caller sent, kept until they are decoded: as one body, or as messages in envelopes. */
import { base64Decode } from "@bufbuild/protobuf/wire";
import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { decodeUtf8 } from "../../core/json/utf8.ts";
import { type BodyKind, bodyKindOf, COMPRESSED, compressionOf, ENVELOPE_BYTES } from "./body-kind.ts";

export class SentBody {
  private pieces: Uint8Array[] = [];
  private readonly kind: Pick<BodyKind, "isEnveloped" | "encoding">;

  constructor(kind: SentBody["kind"]) {
    this.kind = kind;
  }

  /** Of a request that carries its message in its URL. */
  static ofQuery(query: URLSearchParams): SentBody {
    const sent = new SentBody({ isEnveloped: false, encoding: query.get("compression") ?? "identity" });
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
    const { isEnveloped, encoding } = this.kind;
    if (!isEnveloped) return plainBytes(bytes, encoding);
    const end = ENVELOPE_BYTES + bytes.readUInt32BE(1);
    if (bytes.byteLength > end) this.pieces.push(bytes.subarray(end));
    const isCompressed = ((bytes[0] ?? 0) & COMPRESSED) !== 0;
    return plainBytes(bytes.subarray(ENVELOPE_BYTES, end), isCompressed ? encoding : "identity");
  }
}

export const SENT_JSON: ContextKey<SentBody | null> = createContextKey<SentBody | null>(null, {
  description: "JSON of a request that is not decoded yet",
});
export const SENT_BINARY: ContextKey<SentBody | null> = createContextKey<SentBody | null>(null, {
  description: "a binary request that is not decoded yet",
});

/** What will be kept of a request; null: its messages are not JSON. */
export function sentJson({ method, url, header }: UniversalServerRequest): SentBody | null {
  if (method === "GET") {
    const query = new URL(url).searchParams;
    return query.get("encoding") === "json" ? SentBody.ofQuery(query) : null;
  }
  const kind = bodyKindOf(header);
  return kind?.isJson === true ? new SentBody(kind) : null;
}

/** The same of a request whose messages are binary. */
export function sentBinary({ header }: UniversalServerRequest): SentBody | null {
  const kind = bodyKindOf(header);
  return kind?.isJson === false ? new SentBody(kind) : null;
}

async function plainBytes(bytes: Buffer, encoding: string): Promise<Uint8Array> {
  // It was decompressed before, within the limit.
  return compressionOf(encoding)?.decompress(bytes, Number.MAX_SAFE_INTEGER) ?? bytes;
}
