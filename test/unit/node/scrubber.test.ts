import { inspect } from "node:util";
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

  test("with all of what overlaps, where one ends in another", () => {
    const two = createScrubber([
      ["left", "abcdefgh-ijklmnop"],
      ["right", "ijklmnop-qrstuvwxyz"],
    ]);
    expect(two.text("<abcdefgh-ijklmnop-qrstuvwxyz>")).toBe("<[secret left][secret right]>");
  });

  test("with the end of its base64, padded or not, of the text alone or of a line", () => {
    for (const value of ["sk_live_0123456", "sk_live_01234567", "sk_live_012345678"]) {
      const known = createScrubber([["x", value]]);
      for (const before of ["", "u", "us", "usr"]) {
        const shown = known.text(btoa(before + value));
        expect(shown).toMatch(/\[secret x\]$/);
        expect(known.text(`${btoa(before + value).replace(/=+$/, "")} after`)).toMatch(/\[secret x\] after$/);
        expect(known.text(btoa(`${before}${value}\n`))).toMatch(/\[secret x\]$/);
      }
    }
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

describe("what another has shortened shows no part of a secret:", () => {
  const key = "sk_live_51NqVwYS81VP7Hb1D0123456789abcdef";
  const known = createScrubber([
    ["stripe", key],
    ["hook", "https://hooks.example.com/T0/B0"],
    ["account", '{ "id": 12345678901234567890, "key": abcdefghijklmnop }'],
  ]);

  function messageOf(act: () => unknown): string {
    try {
      act();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    throw new Error("nothing was thrown");
  }

  test.each([
    ["a value of a wrong type", () => Buffer.alloc(key as unknown as number)],
    ["what is no JSON", () => JSON.parse(key)],
    ["what is no JSON, with something before it", () => JSON.parse(`{"key": ${key}}`)],
    ["what is no JSON, early", () => JSON.parse(`nope ${key}`)],
  ])("%s", (_, act) => {
    const message = messageOf(act);
    expect(message).toContain("sk_li");
    const shown = known.text(message);
    expect(shown).toContain("[secret stripe]");
    expect(shown).not.toContain("sk_li");
    expect(JSON.parse(known.json(JSON.stringify([message])))).toEqual([shown]);
  });

  test("what is no JSON, from its middle", () => {
    const account = '{ "id": 12345678901234567890, "key": abcdefghijklmnop }';
    const message = messageOf(() => JSON.parse(account));
    expect(message).toContain('..."');
    expect(known.text(message)).toMatch(/^Unexpected token 'a', \.\.\."\[secret account\]"\.\.\./);
  });

  test("a Buffer", () => {
    const shown = inspect(Buffer.from(key.repeat(3)));
    expect(shown).toContain("...");
    expect(known.text(shown)).toMatch(/^<Buffer \[secret stripe\] \[secret stripe\]/);
    expect(
      known.text(
        inspect(Buffer.from(`at ${key}`))
          .slice(0, -30)
          .concat("... 30 more"),
      ),
    ).toMatch(/^<Buffer 61 74 20 \[secret stripe\] ?\.\.\. 30 more$/);
  });

  test("an ellipsis of one character, with a quote before it, and several of them", () => {
    const text = `one: ${key.slice(0, 9)}… two: "${key.slice(0, 5)}"... three: ${key.slice(0, 20)} …`;
    expect(known.text(text)).toBe('one: [secret stripe]… two: "[secret stripe]"... three: [secret stripe] …');
  });

  test("but what any text may begin with is left", () => {
    const text = "https://... -----... {\n... wait... done";
    expect(known.text(text)).toBe(text);
  });

  test("in bounded time, however much was shortened", () => {
    for (const text of ["wait... ", "-".repeat(60), `..."12345678`, `${"-".repeat(200)}...`]) {
      const long = text.repeat((1 << 20) / text.length);
      expect(known.text(long).length).toBeGreaterThan(1000);
    }
  });
});

describe("what a scrubber before it has left of a secret is replaced as well", () => {
  const first = createScrubber([["db", "dbpassword"]]);
  const own = createScrubber([["MYSQL_PASSWORD", "dbpassword-0815"]], first);
  test.each([
    ["as it is", (text: string) => text],
    ["in base64", btoa],
    ["in hexadecimal digits", (text: string) => Buffer.from(text).toString("hex")],
  ])("%s", (_, show) => {
    const left = first.text(`<${show("dbpassword-0815")}>`);
    expect(left).toMatch(/\[secret db\].+>/);
    expect(own.text(left)).toBe("<[secret MYSQL_PASSWORD]>");
  });

  test("but not the other's mark alone, even where a text was shortened behind it", () => {
    for (const text of ["[secret db]...", "[secret d...", "[secret db]… (cut)"])
      expect(own.text(text)).toBe(text);
    expect(own.cut("no: [secret db]")).toBe("no: [secret db]");
    expect(own.cut("no: [secret db]-08")).toBe("no: [secret MYSQL_PASSWORD]");
    expect(createScrubber([["MYSQL_PASSWORD", "dbpassword"]], first).text("[secret db]!")).toBe(
      "[secret db]!",
    );
  });
});
