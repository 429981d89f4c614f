import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../../../src/core/json/canonical-json.ts";

test("is the same for the same value, however it is written", () => {
  const reversed = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(reversed);
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, item]) => [name, reversed(item)] as const)
        .reverse(),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(canonicalJson(JSON.stringify(reversed(value), null, 2))).toBe(canonicalJson(text));
      expect(JSON.parse(canonicalJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['{"id":3889108265204450030}', '{"id":3889108265204450031}'],
  ["1e400", "1e401"],
  ["[1,[2]]", "[1,2]"],
  ['{"__proto__":1}', "{}"],
  ['"1"', "1"],
  ["-0", "0"],
])("tells %s from %s", (one, other) => {
  expect(canonicalJson(one)).not.toBe(canonicalJson(other));
});

test.each([
  ["1.0", "1"],
  ["3889108265204450030", "388910826520445003e1"],
  ["3889108265204450030", "3889108265204450030.0"],
  ['"\\u00fc"', '"ü"'],
  [' { "b" : 1 , "a" : [ ] } ', '{"a":[],"b":1}'],
])("takes %s for %s", (one, other) => {
  expect(canonicalJson(one)).toBe(canonicalJson(other));
});

test("leaves alone what is no JSON", () => {
  expect(canonicalJson("{")).toBe("{");
});
