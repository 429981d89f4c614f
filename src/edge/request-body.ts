/**
 * A request's body, never held without bound: what is small is read whole, so that it can be sent a
 * second time; the rest is passed on as it comes, once, and refused past the limit.
 */
import { Code } from "@connectrpc/connect";
import { errorResponse } from "./error-response.ts";

const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
const MAX_BUFFERED_BYTES = 1024 * 1024;

export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";

  constructor() {
    super(`the request's body is larger than ${MAX_REQUEST_BYTES} bytes`);
  }
}

export function bodyTooLate(ms: number): Response {
  return errorResponse(
    Code.DeadlineExceeded,
    `the request's body did not arrive within ${Math.round(ms)} ms`,
  );
}

export type RequestBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: "stream";
      readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
      /** The node has taken all that has come so far. */
      readonly awaitsCaller: () => boolean;
      /** All of it was handed on: until then no node can have done anything of it. */
      readonly isHandedOn: () => boolean;
    };

/** Throws BodyTooLarge, or the signal's reason when it aborts before the body has come. */
export async function readRequestBody(
  request: Request,
  signal: AbortSignal,
  /** Whether there is room for so many more bytes; without room, the body is passed on as it comes. */
  mayHold: (bytes: number) => boolean = () => true,
): Promise<RequestBody> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_REQUEST_BYTES) throw new BodyTooLarge();
  if (request.body === null) return { kind: "whole", bytes: new Uint8Array() };
  const reader = request.body.getReader();
  const stopReading = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stopReading, { once: true });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  while (size <= MAX_BUFFERED_BYTES) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return { kind: "whole", bytes: concat(chunks, size) };
    chunks.push(value);
    size += value.byteLength;
    if (!mayHold(value.byteLength)) break;
  }
  return rest(reader, chunks, size);
}

/** What was read, then the rest. Fails with BodyTooLarge past the limit. */
function rest(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  chunks: Uint8Array<ArrayBuffer>[],
  sizeSoFar: number,
): RequestBody {
  let size = sizeSoFar;
  let isReading = false;
  let isHandedOn = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const buffered = chunks.shift();
      if (buffered !== undefined) return controller.enqueue(buffered);
      isReading = true;
      const { done, value } = await reader.read();
      isReading = false;
      if (done) {
        isHandedOn = true;
        return controller.close();
      }
      size += value.byteLength;
      if (size <= MAX_REQUEST_BYTES) return controller.enqueue(value);
      controller.error(new BodyTooLarge());
      await reader.cancel();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { kind: "stream", stream, awaitsCaller: () => isReading, isHandedOn: () => isHandedOn };
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
