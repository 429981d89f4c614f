import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scrubEnd } from "../../../src/node/scrub-end.ts";
import { createScrubber } from "../../../src/node/scrubber.ts";

const SECRET = 'p/ss+w0rd "quoted"\\ é';
const scrubber = createScrubber([
  ["db", SECRET],
  ["digits", "1234567890"],
  ["short", "1234567"],
]);

describe("a secret in a text is replaced", () => {
  test.each([
    ["as it is", SECRET],
    ["in a URL", encodeURIComponent(SECRET)],
    ["in a form", new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ["in hexadecimal digits", Buffer.from(SECRET).toString("hex")],
    ["in hexadecimal digits, large", Buffer.from(SECRET).toString("hex").toUpperCase()],
    ["in base64", Buffer.from(SECRET).toString("base64").replace(/=+$/, "")],
    ["in base64url", Buffer.from(SECRET).toString("base64url")],
  ])("%s", (_, form) => {
    const scrubbed = scrubber.text(`before ${form} after`);
    expect(scrubbed).toContain("before [secret db]");
    expect(scrubbed).not.toContain(form);
  });

  test("in base64, after whatever stands before it, as in Basic authentication", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 7 }), fc.uint8Array({ maxLength: 7 }), (before, after) => {
        const text = Buffer.concat([before, Buffer.from(SECRET), after]).toString("base64");
        expect(scrubber.text(text)).toContain("[secret db]");
      }),
    );
  });

  test("the longest first, where one is a part of another", () => {
    const two = createScrubber([
      ["part", "abcdefgh"],
      ["whole", "abcdefgh-ijklmnop"],
    ]);
    expect(two.text("abcdefgh-ijklmnop abcdefgh")).toBe("[secret whole] [secret part]");
  });

  test("but not one of fewer than eight characters", () => {
    expect(scrubber.text("1234567 times")).toBe("1234567 times");
  });
});

describe("JSON stays JSON", () => {
  test("in strings, keys and numbers", () => {
    const output = { [SECRET]: [`x${SECRET}y`, 1234567890, -1234567890.5, 7], fine: "\\n" };
    expect(JSON.parse(scrubber.json(JSON.stringify(output)))).toEqual({
      "[secret db]": ["x[secret db]y", "[secret digits]", "-[secret digits].5", 7],
      fine: "\\n",
    });
  });

  test("whatever it holds, and as it is where it holds none", () => {
    const values = fc.jsonValue().map((value) => JSON.stringify([value, { a: value }]));
    fc.assert(
      fc.property(values, (text) => {
        expect(scrubber.json(text)).toBe(text);
      }),
    );
    const secrets = fc.jsonValue().map((value) => JSON.stringify([value, SECRET, { [SECRET]: value }]));
    fc.assert(
      fc.property(secrets, (text) => {
        const scrubbed = scrubber.json(text);
        expect(JSON.stringify(JSON.parse(scrubbed))).not.toContain(JSON.stringify(SECRET).slice(1, -1));
      }),
    );
  });

  test("with a secret that is JSON itself", () => {
    const account = JSON.stringify({ key: "value", other: [1, 2] }, null, 2);
    const { json } = createScrubber([["account", account]]);
    expect(json(account)).toBe(account);
    expect(JSON.parse(json(JSON.stringify({ account })))).toEqual({ account: "[secret account]" });
  });
});

describe("what was cut ends without the beginning of a secret:", () => {
  const failed = (message: string) => ({
    kind: "failed" as const,
    error: { name: "Error", message, stack: message },
    isPermanent: false,
  });

  test("an error", () => {
    const end = scrubEnd(failed(`no: ${SECRET.slice(0, 12)}… (cut)`), scrubber);
    expect(end).toMatchObject({
      error: { message: "no: [secret db]… (cut)", stack: "no: [secret db]… (cut)" },
    });
  });

  test("an output", () => {
    const output = JSON.stringify({ truncated: true, characters: 9, head: `x${SECRET.slice(0, 12)}` });
    const end = scrubEnd({ kind: "succeeded", output }, scrubber);
    expect(end).toEqual({
      kind: "succeeded",
      output: '{"truncated":true,"characters":9,"head":"x[secret db]"}',
    });
  });

  test("but what was not is left", () => {
    const message = `no: ${SECRET.slice(0, 12)}`;
    expect(scrubEnd(failed(message), scrubber)).toMatchObject({ error: { message } });
    const output = '{"truncated":true,"characters":9,"head":7}';
    expect(scrubEnd({ kind: "succeeded", output }, scrubber)).toEqual({ kind: "succeeded", output });
  });
});
