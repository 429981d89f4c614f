import fc from "fast-check";
import { expect, test } from "vitest";
import { isOneOf } from "../../../src/store/in-list.ts";

const ids = fc
  .uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 150, minLength: 1 })
  .map((list) => list.toSorted((a, b) => a - b));

function idsThatMatch({ sql, values }: ReturnType<typeof isOneOf>): number[] {
  const numbers = values.map(Number);
  const all = Array.from({ length: 210 }, (_, id) => id);
  if (sql.includes("IN")) return all.filter((id) => numbers.includes(id));
  return all.filter((id) =>
    numbers.some((first, index) => index % 2 === 0 && id >= first && id <= (numbers[index + 1] ?? 0)),
  );
}

test("a list or ranges of ids hold them, and no others", () => {
  fc.assert(
    fc.property(ids, (list) => {
      const condition = isOneOf(list);
      expect(condition.sql.match(/\?/g)).toHaveLength(condition.values.length);
      expect(idsThatMatch(condition)).toEqual(list);
    }),
  );
});

test("ids one after another are one range", () => {
  const many = Array.from({ length: 500 }, (_, index) => 1000 + index);
  expect(isOneOf(many)).toEqual({ sql: "(id BETWEEN ? AND ?)", values: [1000, 1499] });
  expect(isOneOf([7])).toEqual({ sql: "id IN (?)", values: [7] });
  expect(isOneOf([1, 3, 5, 7]).sql).toBe("id IN (?, ?, ?, ?)");
});

test("there are few texts", () => {
  fc.assert(
    fc.property(ids, (list) => {
      const { values } = isOneOf(list);
      expect(Math.log2(values.length) % 1).toBe(0);
    }),
  );
});
