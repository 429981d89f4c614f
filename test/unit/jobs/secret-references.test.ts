import { describe, expect, test } from "vitest";
import { parseExact } from "../../../src/core/json/exact-numbers.ts";
import { mayHaveReferences, withSecrets } from "../../../src/jobs/secret-references.ts";

const read = (name: string) => {
  if (name === "none") throw new Error("the secret none is not on this node");
  return `<${name}>`;
};

describe("references to secrets", () => {
  test("are replaced wherever they stand", () => {
    const given = {
      a: { $secret: "one" },
      list: [{ $secret: "two" }, 1, null],
      deep: { deeper: { $secret: "three", prefix: "Bearer " } },
    };
    expect(withSecrets(given, read)).toEqual({
      a: "<one>",
      list: ["<two>", 1, null],
      deep: { deeper: "Bearer <three>" },
    });
    expect(given.a).toEqual({ $secret: "one" });
    expect(withSecrets({ $secret: "one" }, read)).toBe("<one>");
  });

  test("are told by their keys alone", () => {
    const own = { a: { $secret: "one", other: 1 }, b: { secret: "one" }, c: { prefix: "x" } };
    expect(withSecrets(own, read)).toEqual(own);
  });

  test("leave all else as it was", () => {
    const text = '{"__proto__":{"a":1},"n":3889108265204450030,"s":{"$secret":"one"}}';
    const copy = withSecrets(parseExact(text), read);
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":1},"n":3889108265204450030,"s":"<one>"}');
  });

  test.each([
    [{ a: [{ $secret: 5 }] }, "payload.a.0.$secret: must be the name of a secret"],
    [{ $secret: "../etc/passwd" }, "payload.$secret: must be the name"],
    [{ $secret: "" }, "payload.$secret: must be the name"],
    [{ $secret: ".hidden" }, "payload.$secret: must be the name"],
    [{ $secret: "a", prefix: 1 }, "payload.prefix: must be text"],
  ])("of %j are refused for good", (payload, message) => {
    expect(() => withSecrets(payload, read)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), isPermanent: true }),
    );
  });

  test("to what is not there fail an attempt, not the job: it may be there tomorrow", () => {
    expect(() => withSecrets({ key: { $secret: "none" } }, read)).toThrow(
      expect.objectContaining({ message: "payload.key: the secret none is not on this node" }),
    );
    expect(() => withSecrets({ key: { $secret: "none" } }, read)).not.toThrow(
      expect.objectContaining({ isPermanent: true }),
    );
  });

  test("are looked for where there may be one", () => {
    expect(mayHaveReferences(null)).toBe(false);
    expect(mayHaveReferences('{"a":"$secret"}')).toBe(true);
    expect(mayHaveReferences('{"a":1}')).toBe(false);
  });
});
