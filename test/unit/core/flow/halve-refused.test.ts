import { expect, test } from "vitest";
import { halveRefused } from "../../../../src/core/flow/halve-refused.ts";

/** Refuses whatever has one of `bad` in it. */
function rig(bad: readonly number[], splits: (error: unknown) => boolean = () => true) {
  const attempts: (readonly number[])[] = [];
  const write = (batch: readonly number[]) =>
    halveRefused(batch, {
      async attempt(part) {
        attempts.push(part);
        if (part.some((item) => bad.includes(item))) throw new Error("refused");
        return `stored ${part.join()}`;
      },
      splits,
      failed: (part, error) => `${(error as Error).message} ${part.join()}`,
    });
  return { attempts, write };
}

test("a batch that is taken is carried out once", async () => {
  const { attempts, write } = rig([]);
  expect(await write([1, 2, 3])).toEqual(["stored 1,2,3"]);
  expect(attempts).toHaveLength(1);
});

test("one that is refused is halved until what is at fault is alone, and the results keep the order", async () => {
  const { attempts, write } = rig([3]);
  expect(await write([1, 2, 3, 4, 5])).toEqual(["stored 1,2", "refused 3", "stored 4,5"]);
  expect(attempts).toEqual([[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [4, 5]]);
});

test("one that fails otherwise fails as a whole", async () => {
  const { attempts, write } = rig([3], () => false);
  expect(await write([1, 2, 3, 4])).toEqual(["refused 1,2,3,4"]);
  expect(attempts).toHaveLength(1);
});
