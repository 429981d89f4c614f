import fc from "fast-check";
import { expect, test } from "vitest";
import {
  exactText,
  hasInexactNumber,
  mayBeInexact,
  parseExact,
  textWithDigits,
} from "../../../../src/core/json/exact-numbers.ts";

/** Any number that JSON can say: digits, a point, a power. */
const numbers = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.oneof(fc.constant("0"), fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String)),
    fc.option(fc.stringMatching(/^\d{1,30}$/)),
    fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "e-", "E-"), fc.integer({ min: 0, max: 400 }))),
  )
  .map(
    ([sign, whole, fraction, power]) =>
      `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${power === null ? "" : power.join("")}`,
  );

/** By whole numbers alone: the number times a power of ten that makes it one. */
function scaled(text: string): { readonly digits: bigint; readonly power: number; readonly minus: boolean } {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  return { digits: BigInt(whole + fraction), power: Number(power) - fraction.length, minus: sign === "-" };
}

function isSameNumber(one: string, other: string): boolean {
  const [a, b] = [scaled(one), scaled(other)];
  const least = Math.min(a.power, b.power);
  const digitsOf = ({ digits, power }: typeof a) => digits * 10n ** BigInt(power - least);
  return a.minus === b.minus && digitsOf(a) === digitsOf(b);
}

test("a number that a double would change is found, and no other", () => {
  fc.assert(
    fc.property(numbers, (number) => {
      const value = Number(number);
      const isKept = Number.isFinite(value) && isSameNumber(number, String(value));
      expect(hasInexactNumber(number)).toBe(!isKept);
      expect(hasInexactNumber(`{"a":[true,${number}]}`)).toBe(!isKept);
      if (!isKept) expect(mayBeInexact(`[ ${number} ]`)).toBe(true);
      expect(hasInexactNumber(JSON.stringify({ [`:${number}`]: `"${number}\\` }))).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  "9007199254740993",
  "3889108265204450030",
  "9223372036854775808",
  "-0",
  "-0.0",
  "-0e5",
  "1e400",
  "1e-400",
  "0.12345678901234567",
])("%s is not a double's", (number) => expect(hasInexactNumber(number)).toBe(true));

test.each([
  "9007199254740992",
  "3889108265204450000",
  "9223372036854776000",
  "0",
  "-0.5",
  "0.1",
  "1.50",
  "1e22",
  "1E-99",
  "-0.05e2",
])("%s is a double's", (number) => expect(hasInexactNumber(number)).toBe(false));

test("what is not suspicious takes a look, whatever ids and times its strings hold", () => {
  const text = JSON.stringify({
    id: "3889108265204450030",
    at: "2026-10-10T10:00:00.123456789Z",
    sum: "4e1234",
    price: -0.05,
    ms: 1_795_375_691_397,
  });
  expect(mayBeInexact(text)).toBe(false);
});

test("JSON is written again as it was, number by number", () => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      numbers,
      fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
      fc.constantFrom("null", "true"),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
      fc
        .uniqueArray(fc.tuple(fc.oneof(fc.string(), fc.constant("__proto__")), tie("value")), {
          maxLength: 4,
          // Those that JavaScript would sort before others.
          selector: ([name]) => name,
        })
        .map((entries) => entries.filter(([name]) => !/^\d+$/.test(name)))
        .map((entries) => `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${item}`).join(",")}}`),
    ),
  })).value as fc.Arbitrary<string>;
  fc.assert(
    fc.property(json, (text) => {
      const again = JSON.stringify(parseExact(text));
      const numbersOf = (of: string) => of.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) ?? [];
      expect(numbersOf(again).length).toBe(numbersOf(text).length);
      for (const [index, number] of numbersOf(text).entries()) {
        expect(isSameNumber(number, numbersOf(again)[index] ?? "")).toBe(true);
      }
      expect(JSON.parse(again)).toEqual(JSON.parse(text));
    }),
  );
});

test("a BigInt is a number, and a -0 is one where it is asked for", () => {
  expect(exactText({ id: 2n ** 64n, list: [1n, "1"] })).toBe('{"id":18446744073709551616,"list":[1,"1"]}');
  expect(textWithDigits([-0, 0])).toBe("[-0,0]");
  expect(exactText(undefined)).toBeUndefined();
});

test("a number of a million digits does not take for ever", () => {
  for (const number of [
    `1${"0".repeat(1_000_000)}1`,
    `0.${"0".repeat(1_000_000)}1`,
    `${"9".repeat(1_000_000)}`,
  ]) {
    expect(hasInexactNumber(`[${number}]`)).toBe(true);
  }
  expect(hasInexactNumber(`["${"\\\\".repeat(1_000_000)}",1234567890123456]`)).toBe(false);
});
