import fc from "fast-check";
import { expect, test } from "vitest";
import { countNames, findFault, mayHoldSurrogates } from "../../../../src/core/json/json-faults.ts";
import {
  endOfString,
  mostNames,
  repeatedName,
  repeatedPath,
} from "../../../../src/core/json/json-strings.ts";

test("a string is over where JSON says so", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', "\\", "a", "\n", "\u2028", "\ud83d", "😀") }),
      fc.string(),
      (text, after) => {
        const json = JSON.stringify(text);
        expect(endOfString(json + after, 0)).toBe(json.length);
      },
    ),
  );
});

test("JSON of JavaScript's has no name twice, and no fewer names than are counted", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (json, space) => {
      const text = JSON.stringify(json, null, space);
      expect(repeatedName(text)).toBeNull();
      expect(repeatedPath(text)).toBeNull();
      expect(findFault(JSON.parse(text), 100, true)).toBeNull();
      expect(mostNames(text)).toBeGreaterThanOrEqual(countNames(JSON.parse(text), 100));
    }),
  );
});

test.each([
  ['{"a":1,"a":2}', "a", "a"],
  ['{"a":1,"\\u0061":2}', "a", "a"],
  ['[{"a":{"b":1 , "c":[], "b"\n:2}}]', "b", "[0].a.b"],
  ['{"x":[1,{"n":2,"m":"},{"},[[{"k":1}],{"k":1,"k":2}]]}', "k", "x[2][1].k"],
  ['{"__proto__":1,"__proto__":2}', "__proto__", "__proto__"],
  ['{"":[{}],"":1}', "", '[""]'],
])("in %s the name %j is twice, which the count tells, at %s", (text, name, path) => {
  expect(repeatedPath(text)).toBe(path);
  expect(repeatedName(text)).toBe(name);
  expect(mostNames(text)).toBeGreaterThan(countNames(JSON.parse(text), 100));
});

test("a name that looks like more is one", () => {
  expect(repeatedName(String.raw`{"a\":1,\"a":1,"{":{"a\\":2},"a":"a:"}`)).toBeNull();
});

test.each<[string, string, string]>([
  ['{"a":{"b":[1,{"c":1e999}]}}', "infinite", "a.b[1].c"],
  ['{"a b":[[[[]]]]}', "deep", '["a b"][0][0][0]'],
  [String.raw`{"x":["ok","\ud83d"]}`, "surrogate", "x[1]"],
  [String.raw`{"x":{"\udc00":1}}`, "surrogate", 'x["\\udc00"]'],
])("the fault of %s is %s, at %s", (text, fault, path) => {
  expect(findFault(JSON.parse(text), 4, mayHoldSurrogates(text))).toEqual({ fault, path });
  // Where there is nothing to tell, nothing more is looked at.
  expect(mayHoldSurrogates(text) || Number.isNaN(countNames(JSON.parse(text), 4))).toBe(true);
});

test("whole pairs are whole, however they are written", () => {
  for (const text of [String.raw`"\ud83d\ude00"`, '"😀"', String.raw`"\\ud83d"`, String.raw`"\\\\uD83D"`]) {
    expect(findFault(JSON.parse(text), 1, mayHoldSurrogates(text))).toBeNull();
  }
});
