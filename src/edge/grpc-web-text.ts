/**
 * What Google's `grpc-web` client speaks by default: gRPC-Web in base64, the one protocol that nodes do not know.
 * The edge takes the base64 off on the way in, and puts it on what comes back, chunk by chunk, so that a
 * stream's messages arrive as they come.
 */
const TEXT = /^application\/grpc-web-text(\+proto)?\s*(;|$)/i;

export const GRPC_WEB = "application/grpc-web+proto";
const GRPC_WEB_TEXT = "application/grpc-web-text+proto";

export function isGrpcWebText(contentType: string | null): boolean {
  return contentType !== null && TEXT.test(contentType);
}

/** The bytes of base64 text, which may have its padding in between; null: it is none. */
export function fromBase64(text: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const pieces = new TextDecoder().decode(text).match(/[^=\s]+=*/g) ?? [];
  try {
    const chunks = pieces.map((piece) => Uint8Array.fromBase64(piece));
    const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  } catch {
    return null;
  }
}

/** What is no gRPC-Web, such as an error of the edge's own, stays as it is. */
export function toGrpcWebText(answer: Response): Response {
  if (!answer.headers.get("content-type")?.startsWith("application/grpc-web")) return answer;
  const headers = new Headers(answer.headers);
  headers.set("content-type", GRPC_WEB_TEXT);
  const encoder = new TextEncoder();
  // Each chunk by itself, padded: what waited for a third byte would wait for the next message.
  const encoded = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => controller.enqueue(encoder.encode(chunk.toBase64())),
  });
  return new Response(answer.body?.pipeThrough(encoded) ?? null, { status: answer.status, headers });
}
