/** What the adapter says of bodies that it cannot take, which is about its own settings, in words about the call. */
import { Code } from "@connectrpc/connect";
import type { Said } from "./other-words.ts";

/** Of messages in envelopes. */
const FRAME = "by the frame before it (a byte of flags, and four of the length)";

type Say = (found: readonly string[], code: Code) => Said;

const WORDS: readonly (readonly [RegExp, Say])[] = [
  [
    /^(?:decompression failed$|received compressed envelope)/,
    () => ({
      code: Code.InvalidArgument,
      message:
        "the body: is not compressed as the call says; gzip and br are accepted, each whole and named, or none",
    }),
  ],
  [
    /^message size (\d+) is larger than configured readMaxBytes (\d+)$/,
    ([size, most], code) => ({
      code,
      message: `the body: has a message of ${size} bytes, ${FRAME}; up to ${most} are accepted`,
    }),
  ],
  [
    /^message is larger than configured readMaxBytes (\d+) after decompression$/,
    ([most], code) => ({
      code,
      message: `the body: has more than ${most} bytes when it is decompressed; up to that are accepted`,
    }),
  ],
  [
    /^protocol error: (?:incomplete envelope|promised \d+ bytes|the body ended within a message)/,
    () => ({
      code: Code.InvalidArgument,
      message: "the body: ends within a message; whole messages are accepted, each as long as its frame says",
    }),
  ],
  [
    /^protocol error: missing input message/,
    (_, code) => ({ code, message: `the body: has no message; one is accepted, ${FRAME}` }),
  ],
  [
    /^protocol error: received extra input message/,
    (_, code) => ({ code, message: "the body: has more than one message; one is accepted" }),
  ],
  [
    /^the operation timed out$/,
    (_, code) => ({
      code,
      message: "the call's time was over before it was answered; a longer one is accepted",
    }),
  ],
];

/** Null: it was about something else. */
export function adapterWords({ code, message }: Said): Said | null {
  for (const [pattern, say] of WORDS) {
    const found = pattern.exec(message);
    if (found !== null) return say(found.slice(1), code);
  }
  return null;
}
