import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8 } from "../../../../src/core/json/utf8.ts";

/** By the definition: the first byte from which no whole character goes on (Unicode, table 3-7). */
function firstBad(bytes: Uint8Array): number | null {
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => isCharacter(bytes.subarray(at, at + count), count));
    if (length === undefined) return at;
    at += length;
  }
  return null;
}

function isCharacter(bytes: Uint8Array, count: number): boolean {
  if (bytes.length < count) return false;
  const [first = 0, second = 0] = bytes;
  if (count === 1) return first < 0x80;
  if (!bytes.subarray(1).every((byte) => byte >= 0x80 && byte < 0xc0)) return false;
  if (count === 2) return first >= 0xc2 && first <= 0xdf;
  if (count === 3) {
    return (
      (first === 0xe0 && second >= 0xa0) ||
      (first >= 0xe1 && first <= 0xef && (first !== 0xed || second < 0xa0))
    );
  }
  return (
    (first === 0xf0 && second >= 0x90) || (first > 0xf0 && first < 0xf4) || (first === 0xf4 && second < 0x90)
  );
}

const pieces = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  fc.constantFrom(Buffer.from("\ufffd"), Buffer.from("\0")),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
);

test("bytes are their text, or refused with the offset of the first that are none", () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const bytes = Buffer.concat([Buffer.from("x"), ...parts]);
      const bad = firstBad(bytes);
      if (bad === null) expect(Buffer.from(decodeUtf8(bytes, "it"))).toEqual(bytes);
      else {
        const shown = `it: byte ${bad}, 0x${(bytes[bad] ?? 0).toString(16).padStart(2, "0")}, is not UTF-8; text in UTF-8 is accepted`;
        expect(() => decodeUtf8(bytes, "it")).toThrow(shown);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a byte order mark is no part of the text", () => {
  expect(decodeUtf8(Buffer.from("\ufeff{}"), "it")).toBe("{}");
  expect(() => decodeUtf8(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0xff]), "it")).toThrow("it: byte 4, 0xff");
});
