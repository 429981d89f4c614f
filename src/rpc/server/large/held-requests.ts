/** The large requests of one call: taken out of its body, and decoded when the method asks for them, one at a time. */
import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { OneAtATime } from "../../../core/flow/one-at-a-time.ts";
import { decodeUtf8 } from "../../../core/json/utf8.ts";
import type { LargeRequest, SentRequests } from "../../large-request.ts";
import { turns } from "../../turns.ts";
import type { CallShare } from "../call-budget.ts";
import { outOfRoom } from "../out-of-room.ts";
import { decodeLargeBinary } from "./decode-binary.ts";
import { decodeLargeJson } from "./decode-json.ts";
import { encodeLargeJson } from "./encode-json.ts";
import type { LargeLimits } from "./large-limits.ts";

export interface HeldOptions extends LargeLimits {
  readonly schema: DescMessage;
  /** Of the answer, if that can be written here. */
  readonly answerSchema: DescMessage | null;
  readonly isJson: boolean;
  /** Null: the body is not compressed. */
  readonly compression: Compression | null;
  /** Fields that are not known are the master's to refuse. */
  readonly isForwarded: boolean;
  readonly share: CallShare | null;
  /** Of one request, as it comes and inflated. */
  readonly mostBytes: number;
  readonly pause: (ms: number) => Promise<void>;
}

const ROOM_PAUSE_MS = 20;
const LONGEST_WAIT_MS = 10_000;

/** One at a time over all calls: what is made of a text on the way takes many times as much as the text. */
const decoding = new OneAtATime<string>();

export class HeldRequests implements SentRequests {
  readonly options: HeldOptions;
  /** Of a call whose handler has an empty one. */
  answer: Uint8Array | null = null;
  private readonly queue: (LargeRequest | null)[] = [];

  constructor(options: HeldOptions) {
    this.options = options;
  }

  take(): LargeRequest | null {
    return this.queue.shift() ?? null;
  }

  addSmall(): void {
    this.queue.push(null);
  }

  /** `heldBytes`: what the call's share has of it until it is released. */
  add(bytes: Uint8Array, isCompressed: boolean, heldBytes = 0): void {
    const { options } = this;
    let isHeld = heldBytes > 0;
    this.queue.push({
      decode: () => decode(bytes, isCompressed ? options.compression : null, options),
      answer: async (response) => {
        if (options.answerSchema === null) return response;
        this.answer = await encodeLargeJson(options.answerSchema, response);
        return this.answer === null ? response : (create(options.answerSchema) as typeof response);
      },
      release() {
        if (isHeld) options.share?.hold(-heldBytes);
        isHeld = false;
      },
    });
  }

  /** Throws for a request that is larger than any may be. */
  check(bytes: number): void {
    const { mostBytes } = this.options;
    if (bytes <= mostBytes) return;
    const message = `the body: has a message of ${bytes} bytes; up to ${mostBytes} are accepted, as many as the memory of this node allows; send it in parts`;
    throw new ConnectError(message, Code.ResourceExhausted);
  }

  /** Of a stream, which is not read on as long as there is no room: so its sender waits, too. */
  async waitForRoom(bytes: number): Promise<void> {
    const { share, pause } = this.options;
    for (let waited = 0; share !== null && !share.hold(bytes); waited += ROOM_PAUSE_MS) {
      if (waited >= LONGEST_WAIT_MS) throw outOfRoom();
      await pause(ROOM_PAUSE_MS);
    }
  }
}

function decode(bytes: Uint8Array, compression: Compression | null, options: HeldOptions): Promise<Message> {
  const { schema, isJson, share, mostBytes, maxPayloadBytes, isForwarded } = options;
  return decoding.alone("", async () => {
    const plain = compression === null ? bytes : await compression.decompress(bytes, mostBytes);
    const more = Math.max(0, plain.byteLength - bytes.byteLength);
    if (share?.takeBody(more) === false) throw outOfRoom();
    await turns.next();
    return isJson
      ? decodeLargeJson(schema, decodeUtf8(plain, "the body"), { maxPayloadBytes })
      : decodeLargeBinary(schema, plain, { maxPayloadBytes, keepsUnknown: isForwarded });
  });
}
