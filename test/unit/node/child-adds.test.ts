import { describe, expect, test } from "vitest";
import { ChildAdds } from "../../../src/node/child-adds.ts";

const ADDER = { key: 1, jobId: "7", idempotencyKey: "7-100" };

function rig() {
  const sent: { readonly call: number; readonly request: Record<string, unknown> }[] = [];
  const adds = new ChildAdds(({ call, request }) => sent.push({ call, request: JSON.parse(request) }));
  return { adds, sent, keys: () => sent.map(({ request }) => request["idempotencyKey"]) };
}

describe("the key of a child", () => {
  test("is the occurrence's with the add's number, the same in each attempt", () => {
    const attempts = [1, 2].map(() => {
      const { adds, keys } = rig();
      void adds.add(ADDER, "a", 1);
      void adds.add({ ...ADDER, key: 2, idempotencyKey: "8-100" }, "a", 1);
      void adds.add(ADDER, "b", Math.random());
      return keys();
    });
    expect(attempts[0]).toEqual(["7-100/1", "8-100/1", "7-100/2"]);
    expect(attempts[1]).toEqual(attempts[0]);
  });

  test("is its own where it has one, and does not count", () => {
    const { adds, keys } = rig();
    void adds.add(ADDER, "a", 1, { key: "1" });
    void adds.add(ADDER, "a", 1);
    expect(keys()).toEqual(["7-100/key/1", "7-100/1"]);
  });

  test.each([[""], ["x".repeat(41)], [7]])("is not %j", async (key) => {
    const { adds, sent } = rig();
    await expect(adds.add(ADDER, "a", 1, { key } as never)).rejects.toThrow(/^add: key: 1 to 40/);
    expect(sent).toEqual([]);
  });
});

test("what is asked for is a job once, with this one as its parent", () => {
  const { adds, sent } = rig();
  void adds.add(ADDER, "a", { big: 1 }, { name: "n", delay: "1h", retry: { maxAttempts: 2 } });
  void adds.add(ADDER, "a", undefined);
  const same = { handler: "a", parentId: "7", keyReuse: "KEY_REUSE_ANY_BODY" };
  expect(sent.map(({ request }) => request)).toEqual([
    {
      ...same,
      payload: { big: 1 },
      name: "n",
      retry: { maxAttempts: 2 },
      timed: { delay: "1h" },
      idempotencyKey: "7-100/1",
    },
    { ...same, idempotencyKey: "7-100/2" },
  ]);
});

test("each add has its own answer", async () => {
  const { adds, sent } = rig();
  const answers = Promise.allSettled([adds.add(ADDER, "a", 1), adds.add(ADDER, "a", 2)]);
  adds.answered(1, sent[1]?.call ?? 0, { jobId: "12" });
  adds.answered(1, sent[0]?.call ?? 0, { code: "invalid_argument", message: "handler: no" });
  expect(await answers).toMatchObject([
    { reason: { message: "add: handler: no", code: "invalid_argument" } },
    { value: "12" },
  ]);
});

test("an abort, and the end of the attempt, leave none waiting", async () => {
  const { adds, sent } = rig();
  const answers = Promise.allSettled([adds.add(ADDER, "a", 1)]);
  adds.aborted(1, new Error("cancelled"));
  expect(await answers).toMatchObject([{ reason: { message: "cancelled" } }]);
  const later = Promise.allSettled([adds.add(ADDER, "a", 1)]);
  adds.ended(1);
  expect(await later).toMatchObject([{ reason: { message: "add: the attempt is over" } }]);
  for (const { call } of sent) adds.answered(1, call, { jobId: "12" });
});

test("no more than 1,000 are under way at once", async () => {
  const { adds, sent } = rig();
  for (let add = 0; add < 1_000; add++) adds.add(ADDER, "a", add).catch(() => {});
  await expect(adds.add(ADDER, "a", 1)).rejects.toThrow("1000 are under way");
  adds.answered(1, sent[0]?.call ?? 0, { jobId: "12" });
  adds.add(ADDER, "a", 1).catch(() => {});
  expect(sent).toHaveLength(1_001);
});
