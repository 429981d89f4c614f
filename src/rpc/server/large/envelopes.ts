/** Bodies of messages in envelopes (gRPC, gRPC-Web, Connect's streams): large messages are taken out, others pass as they are. */
import { Code, ConnectError } from "@connectrpc/connect";
import { COMPRESSED, ENVELOPE_BYTES, enveloped } from "../body-kind.ts";
import type { HeldRequests } from "./held-requests.ts";

const NONE = new Uint8Array();

export interface EnvelopeOptions {
  /** Messages up to here pass. */
  readonly smallBytes: number;
  /** In place of each large one. */
  readonly empty: Uint8Array;
  /** Whether a large one waits until the budget has room for it. */
  readonly waits: boolean;
  /** Whether the call has named how its messages are compressed: else those that say that they are are refused where they pass to. */
  readonly inflates: boolean;
}

export async function* withoutLarge(
  body: AsyncIterable<Uint8Array>,
  held: HeldRequests,
  { smallBytes, empty, waits, inflates }: EnvelopeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let carried: Uint8Array = NONE;
  /** How much of a message that passes is still to come. */
  let passing = 0;
  let large: LargeMessage | null = null;
  for await (const piece of body) {
    const chunk = carried.byteLength === 0 ? piece : Buffer.concat([carried, piece]);
    let at = Math.min(passing, chunk.byteLength);
    passing -= at;
    let from = 0;
    while (at < chunk.byteLength) {
      if (large !== null) {
        at = large.take(chunk, at);
        from = at;
        if (large.left > 0) break;
        held.add(large.bytes, large.isCompressed, waits ? large.bytes.byteLength : 0);
        large = null;
        yield enveloped(empty);
        continue;
      }
      if (chunk.byteLength - at < ENVELOPE_BYTES) break;
      const flags = chunk[at] ?? 0;
      const length = new DataView(chunk.buffer, chunk.byteOffset + at + 1).getUint32(0);
      // Others are no messages: the end of a stream, or trailers.
      const isMessage = flags <= COMPRESSED;
      if (isMessage && (length > smallBytes || (flags === COMPRESSED && inflates && length > 0))) {
        if (at > from) yield chunk.subarray(from, at);
        held.check(length);
        if (waits) await held.waitForRoom(length);
        at += ENVELOPE_BYTES;
        from = at;
        large = new LargeMessage(length, flags === COMPRESSED);
      } else {
        if (isMessage) held.addSmall();
        const end = at + ENVELOPE_BYTES + length;
        at = Math.min(end, chunk.byteLength);
        passing = end - at;
      }
    }
    if (at > from) yield chunk.subarray(from, at);
    carried = chunk.subarray(at);
  }
  if (carried.byteLength > 0 || large !== null) {
    throw new ConnectError("protocol error: the body ended within a message", Code.InvalidArgument);
  }
}

class LargeMessage {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
  private filled = 0;

  constructor(length: number, isCompressed: boolean) {
    this.bytes = new Uint8Array(length);
    this.isCompressed = isCompressed;
  }

  get left(): number {
    return this.bytes.byteLength - this.filled;
  }

  /** Returns where the rest of the chunk begins. */
  take(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.byteLength, at + this.left);
    this.bytes.set(chunk.subarray(at, end), this.filled);
    this.filled += end - at;
    return end;
  }
}
