import { expect, test } from "vitest";
import { LatestFew } from "../../../../src/core/flow/latest-few.ts";

test("one more than there may be puts out the oldest, and none that has ended", () => {
  const out: string[] = [];
  const few = new LatestFew<string>(2, (item) => out.push(item));
  few.add("a");
  few.add("b");
  expect(few.delete("a")).toBe(true);
  few.add("c");
  expect(out).toEqual([]);
  few.add("d");
  expect(out).toEqual(["b"]);
  expect(few.delete("b")).toBe(false);
  expect(few.size).toBe(2);
});
