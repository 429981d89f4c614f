/** Messages of a stream of Connect's, each behind a byte of flags and four of its length. The package's own reader would go on reading when it is cancelled. */

const HEAD_BYTES = 5;

export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface EnvelopeReader {
  /** Null: the stream has ended. Rejects when it has broken. */
  next(): Promise<Envelope | null>;
  cancel(reason?: unknown): Promise<void>;
}

export function readEnvelopes(body: ReadableStream<Uint8Array>): EnvelopeReader {
  const reader = body.getReader();
  let held = new Uint8Array();

  const take = (bytes: number) => {
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    return taken;
  };
  /** False: the stream has ended before. */
  const hold = async (bytes: number): Promise<boolean> => {
    while (held.byteLength < bytes) {
      const { done, value } = await reader.read();
      if (done) return false;
      const more = new Uint8Array(held.byteLength + value.byteLength);
      more.set(held);
      more.set(value, held.byteLength);
      held = more;
    }
    return true;
  };

  return {
    async next() {
      if (!(await hold(HEAD_BYTES))) return null;
      const head = take(HEAD_BYTES);
      const length = new DataView(head.buffer, head.byteOffset).getUint32(1);
      return (await hold(length)) ? { flags: head[0] ?? 0, data: take(length) } : null;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}
