/** How results are divided among statements, and when the store gives up: on a session that only takes note. */
import { expect, test } from "vitest";
import { OUTCOME, type ResultRecord } from "../../../../src/core/job.ts";
import type { Session } from "../../../../src/store/mysql/connection-pool.ts";
import { writeResults } from "../../../../src/store/mysql/write-results.ts";
import { resultOf } from "../../../fixtures/job-fixture.ts";

const DUPLICATE = Object.assign(new Error("duplicate"), { errno: 1062 });
const FAILED = { outcome: OUTCOME.FAILED } as const;

/** The rows of each INSERT. `refuse`: each meets a duplicate that is gone when it is looked for. */
async function inserts(written: readonly ResultRecord[], refuse = false) {
  const rows: number[] = [];
  const insert = async (sql: string) => {
    rows.push(sql.slice(sql.indexOf("VALUES")).split("), (").length);
    if (refuse) throw DUPLICATE;
    return { affectedRows: 1 };
  };
  const session = { execute: insert, query: insert, read: async () => [] };
  const outcome = await writeResults(session as unknown as Session, 0, written).catch(
    (error: Error) => error,
  );
  return { rows, outcome };
}

function results(count: number, fields: Partial<ResultRecord> = {}): ResultRecord[] {
  return Array.from({ length: count }, (_, index) => resultOf({ jobId: index + 1, ...fields }));
}

test.each([
  [99, [99]],
  [100, [100]],
  [101, [100, 1]],
  [345, [300, 45]],
  [1000, [1000]],
  [2345, [1000, 1000, 300, 45]],
])("%d rows go in statements of which the largest can stay prepared", async (count, expected) => {
  expect((await inserts(results(count))).rows).toEqual(expected);
});

test("a statement carries a MiB at most, or one row that is larger", async () => {
  const half = { output: "x".repeat(512 * 1024) };
  expect((await inserts(results(5, half))).rows).toEqual([2, 2, 1]);
  expect((await inserts(results(2, { output: "x".repeat(512 * 1024 + 1) }))).rows).toEqual([1, 1]);
  expect((await inserts(results(2, { output: "x".repeat(2 ** 21) }))).rows).toEqual([1, 1]);
});

test("what has succeeded goes together, the rest beside it; two rows of one claim stay in their order", async () => {
  const [a, b, c] = results(3);
  if (a === undefined || b === undefined || c === undefined) throw new Error("not three");
  expect((await inserts([a, { ...b, ...FAILED }, c])).rows).toEqual([2, 1]);
  expect((await inserts([a, { ...a, ...FAILED }, c])).rows).toEqual([3]);
  expect((await inserts(results(3, FAILED))).rows).toEqual([3]);
});

test("the store gives up when others keep writing the same results", async () => {
  const { rows, outcome } = await inserts(results(1), true);
  expect(outcome).toMatchObject({ code: "unavailable" });
  expect(rows).toHaveLength(10);
});
