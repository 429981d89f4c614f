/** Bytes that come in are UTF-8, or refused: a decoder that puts U+FFFD for what it can't read changes them without a word. */
import { ElasticJobError, invalidArgument } from "../errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text, without a byte order mark. Throws `invalid_argument` with the place of what is no UTF-8; `what`: the bytes, in words. */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    const problem = { field: what, message: `${notUtf8(bytes)}; text in UTF-8 is accepted` };
    const { code, message, problems } = invalidArgument([problem]);
    throw new ElasticJobError(code, message, { cause: error, problems });
  }
}

/** What is wrong with bytes that are no UTF-8, in words. */
export function notUtf8(bytes: Uint8Array): string {
  const offset = badOffset(bytes);
  return `byte ${offset}, 0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}, is not UTF-8`;
}

const REPLACEMENT = "\ufffd";
const REPLACEMENT_BYTES = [0xef, 0xbf, 0xbd];

/** Where the first bytes are that are no UTF-8: at the first U+FFFD of a lenient decoder that is not in the bytes themselves. */
function badOffset(bytes: Uint8Array): number {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const encoder = new TextEncoder();
  let offset = 0;
  for (const part of text.split(REPLACEMENT)) {
    offset += encoder.encode(part).byteLength;
    if (!REPLACEMENT_BYTES.every((byte, index) => bytes[offset + index] === byte)) return offset;
    offset += REPLACEMENT_BYTES.length;
  }
  return 0;
}
