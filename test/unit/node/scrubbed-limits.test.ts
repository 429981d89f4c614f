/** What is cut to size and searched for secrets, in either order, and in two places. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeFailure } from "../../../src/node/describe-failure.ts";
import { outputText } from "../../../src/node/output-text.ts";
import {
  MAX_ERROR_CHARACTERS,
  MAX_OUTPUT_BYTES,
  OUTPUT_HEAD_CHARACTERS,
} from "../../../src/node/result-limits.ts";
import { scrubEnd } from "../../../src/node/scrub-end.ts";
import { createScrubber } from "../../../src/node/scrubber.ts";

const SECRET = "sk_live_0123456789_abcdef";
const scrubber = createScrubber([["stripe", SECRET]]);
const eight = createScrubber([["a-name-that-is-longer", "12345678"]]);

describe("the head of a long text", () => {
  test("has no part of a secret, wherever that stands", () => {
    const places = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 100 }), (gaps, length) => {
        const text = gaps.map((gap) => `${"x".repeat(gap)}${SECRET}`).join("");
        const head = scrubber.head(text, length);
        expect(head.length).toBeLessThanOrEqual(length);
        expect(head).not.toContain("sk_l");
      }),
    );
  });

  test("is kept of an output that is far too long", () => {
    const output = [`${"x".repeat(OUTPUT_HEAD_CHARACTERS - 12)}${SECRET}`, '\n"'.repeat(20_000_000)];
    const { head, truncated } = JSON.parse(outputText(output, scrubber) ?? "");
    expect(truncated).toBe(true);
    expect(head).toHaveLength(OUTPUT_HEAD_CHARACTERS);
    expect(head).not.toContain("sk_l");
  });
});

describe("marks that are longer than what they stand for", () => {
  const many = "12345678 ".repeat(100_000);

  test("do not make an output too long", () => {
    for (const text of [outputText(many, eight), outputText(many)]) {
      const end = scrubEnd({ kind: "succeeded", output: text }, eight);
      const output = end.kind === "succeeded" ? (end.output ?? "") : "";
      expect(output.length).toBeLessThan(MAX_OUTPUT_BYTES);
      expect(output).not.toContain("12345678");
      expect(JSON.parse(output)).toMatchObject({ truncated: true });
    }
  });

  test("do not make an error too long", () => {
    for (const thrown of [new Error(many), new Error("12345678 ".repeat(900))]) {
      const end = scrubEnd(describeFailure(thrown), eight);
      const { message = "" } = end.kind === "failed" ? end.error : {};
      expect(message).toHaveLength(MAX_ERROR_CHARACTERS + "… (cut)".length);
      expect(message).not.toContain("12345678");
    }
  });
});

describe("a secret with characters that JSON escapes", () => {
  const secret = 'line "one"\nline/two';
  const { json, text } = createScrubber([["pem", secret]]);

  test("is found in JSON, in JSON within JSON, and in an error that shows JSON", () => {
    const once = JSON.stringify({ secret });
    expect(json(once)).toBe('{"secret":"[secret pem]"}');
    expect(json(JSON.stringify({ once }))).toBe('{"once":"{\\"secret\\":\\"[secret pem]\\"}"}');
    expect(text(`the bank answered 400: ${once}`)).toBe('the bank answered 400: {"secret":"[secret pem]"}');
  });

  test("is found at half a character, where the look for its beginning would end", () => {
    const faces = `${"x".repeat(15)}\u{1f600}\u{1f600}`;
    expect(createScrubber([["faces", faces]]).json(JSON.stringify([faces]))).toBe('["[secret faces]"]');
  });
});
