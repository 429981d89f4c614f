import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScrubber } from "../../../src/node/scrubber.ts";
import { secretForms } from "../../../src/node/secret-forms.ts";

/** How a text shows a secret; the mark must stand for all of it. */
const WAYS: [how: string, show: (secret: string) => string][] = [
  ["in a string of JSON", (secret) => JSON.stringify(secret).slice(1, -1)],
  [
    "in JSON as Python writes it",
    (secret) =>
      JSON.stringify(secret)
        .slice(1, -1)
        .replace(/[^\0-\x7f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`),
  ],
  ["in the path of a URL that was read", (secret) => new URL(`http://a/${secret}`).pathname.slice(1)],
  ["in the query of a URL that was read", (secret) => new URL(`http://a/?k=${secret}`).search.slice(3)],
  ["in JSON within JSON", (secret) => JSON.stringify(JSON.stringify({ secret })).slice(15, -4)],
  [
    "in JSON within JSON within JSON",
    (secret) => JSON.stringify(JSON.stringify(JSON.stringify(secret))).slice(7, -7),
  ],
  ["as inspect shows it", (secret) => inspect(secret, { breakLength: Infinity }).slice(1, -1)],
  ["in a header, without the space around it", (secret) => secret.trim()],
];

describe("a secret's forms have it", () => {
  const secrets = [
    'a"b\\c/d|e[f]^g{h}',
    "été-%zz-'quoted'",
    "  padded-with-space\t",
    "-----BEGIN KEY-----\nMIIE/+==\n",
    "it's \\ and \u001b too",
  ];
  test.each(WAYS)("%s", (_, show) => {
    for (const secret of secrets) expect(secretForms(secret)).toContain(show(secret));
  });

  test("in JSON as PHP writes it", () => {
    expect(secretForms("abc/def/ghi")).toContain("abc\\/def\\/ghi");
  });

  test("that is a URL, written again", () => {
    expect(secretForms("HTTPS://Hooks.Example.com/T0/B0")).toContain("https://hooks.example.com/T0/B0");
  });

  test("whatever it is, and none is short", () => {
    fc.assert(
      fc.property(fc.string(), (secret) => {
        const forms = secretForms(secret);
        expect(forms.includes(secret)).toBe(secret.length >= 8);
        expect(forms.filter((form) => form.length < 8)).toEqual([]);
      }),
    );
  });
});

describe("of a long secret that a tool has broken into lines, nothing is left", () => {
  const line = (number: number) => `${number}`.repeat(4) + "abcdefghijklmnopqrstuvwxyz/+".repeat(2) + number;
  const pem = ["-----BEGIN KEY-----", line(1), line(2), line(3), "-----END KEY-----", ""].join("\n");
  const { text } = createScrubber([["pem", pem.slice(0, -1)]]);
  const wrapped = (encoded: string, width: number) =>
    encoded.replace(new RegExp(`.{${width}}(?=.)`, "g"), "$&\n");

  test("by inspect, at any depth", () => {
    for (const value of [{ pem }, { a: { pem } }, [[[{ pem }]]]]) {
      const shown = inspect(value, { depth: 9 });
      expect(shown).toContain("' +\n");
      expect(text(shown)).not.toMatch(/[1-3]{4}|abcdef/);
    }
  });

  test("by inspect, which escapes", () => {
    const windows = createScrubber([["w", `C:\\keys\\of it's "own"\n${"x".repeat(40)}\n${"y".repeat(40)}`]]);
    const shown = inspect({ w: `C:\\keys\\of it's "own"\n${"x".repeat(40)}\n${"y".repeat(40)}` });
    expect(shown).toContain("keys");
    expect(windows.text(shown)).not.toMatch(/keys|xxxx|yyyy/);
  });

  test("line by line, but for those that any such file has", () => {
    for (const number of [1, 2, 3]) expect(text(`> ${line(number)}`)).toBe("> [secret pem]");
    expect(text("-----BEGIN KEY-----")).toBe("-----BEGIN KEY-----");
    expect(text("-----END KEY-----")).toBe("-----END KEY-----");
  });

  test.each([
    ["base64", "base64", 76],
    ["openssl", "base64", 64],
    ["xxd -p", "hex", 60],
  ] as const)("by %s", (_, encoding, width) => {
    for (const value of [pem, pem.slice(0, -1)]) {
      const encoded = Buffer.from(value).toString(encoding);
      const rows = wrapped(encoded, width).split("\n");
      expect(rows.length).toBeGreaterThan(2);
      expect(text(`${rows.join("\n")}\n`)).toMatch(/^(?:\[secret pem\]\n?)+\n$/);
      // Each for itself, as a log has them; a short end of one is found with what stands before it alone.
      for (const row of rows.filter(({ length }) => length >= 16))
        expect(text(`> ${row}`)).toBe("> [secret pem]");
    }
  });
});
