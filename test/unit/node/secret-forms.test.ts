import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
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
  ["in a header, without the space around it", (secret) => secret.trim()],
];

describe("a secret's forms have it", () => {
  const secrets = [
    'a"b\\c/d|e[f]^g{h}',
    "été-%zz-'quoted'",
    "  padded-with-space\t",
    "-----BEGIN KEY-----\nMIIE/+==\n",
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
