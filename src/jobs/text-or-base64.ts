/** What came as bytes, for a result: as text, or in base64 where it is none. Nothing is put for what can't be read. */

export interface BytesInWords {
  readonly text: string;
  readonly isBase64: boolean;
}

/** `charset`: what the bytes are said to be; one that nobody knows is UTF-8. `isCut`: the end may be within a character. */
export function textOrBase64(bytes: Buffer, charset = "utf-8", isCut = false): BytesInWords {
  try {
    return { text: decoderOf(charset).decode(bytes, { stream: isCut }), isBase64: false };
  } catch {
    return { text: bytes.toString("base64"), isBase64: true };
  }
}

/** Without what is left of a character whose beginning was cut off. */
export function fromCharacter(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}

function decoderOf(charset: string): TextDecoder {
  const options = { fatal: true, ignoreBOM: true };
  try {
    return new TextDecoder(charset, options);
  } catch {
    return new TextDecoder("utf-8", options);
  }
}
