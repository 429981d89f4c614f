/** G3: one final row for a claim; a late one changes nothing and is kept beside it. */
import { expect, test } from "vitest";
import { NEVER, OUTCOME, type ResultRecord } from "../../../src/core/job.ts";
import { describeStores, newIds, result, type StoreUnderTest } from "../../fixtures/store-fixture.ts";

async function rowsOf(under: StoreUnderTest, jobId: number): Promise<readonly ResultRecord[]> {
  return (await under.store.listResults({ jobId }, { before: null, limit: 100 })).items;
}

describeStores("results", (get) => {
  test("come back as they were stored", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const rows = [
      result(id, 1, {
        outcome: OUTCOME.FAILED,
        attempt: 3,
        retryAt: NEVER,
        endTime: NEVER - 1,
        output: JSON.stringify({ big: "🚀'\\".repeat(1000) }),
        error: { name: "TypeError", message: "ü 🚀 \u0000", stack: "at x\n  at y" },
        reason: "r",
      }),
      result(id, 4_294_967_295, {
        outcome: OUTCOME.SKIPPED,
        skippedThrough: NEVER,
        skippedCount: 2_147_483_647,
        error: { name: "", message: "" },
      }),
    ];
    expect(await under.store.writeResults(rows)).toEqual(["first", "first"]);
    for (const row of rows) {
      expect(await under.other.readFinalRows([row])).toEqual(new Map([[id, row]]));
    }
  });

  test("keep a late result beside the final one, which stays", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const lost = result(id, 1, { outcome: OUTCOME.LOST, reason: "node gone" });
    const late = result(id, 1, { endTime: 77 });
    expect(await under.store.writeFinalRows(under.epoch, [lost])).toEqual(["first"]);
    expect(await under.other.writeResults([late])).toEqual(["late"]);
    expect(await rowsOf(under, id)).toEqual([lost, { ...late, late: true }]);
    expect(await under.store.readFinalRows([late])).toEqual(new Map([[id, lost]]));
  });

  test("store the others of a batch when one is late", async () => {
    const under = get();
    const ids = await newIds(under, 20);
    const taken = ids.filter((_, index) => index % 3 === 0);
    await under.store.writeFinalRows(
      under.epoch,
      taken.map((id) => result(id, 1, { outcome: OUTCOME.LOST })),
    );
    const outcomes = await under.store.writeResults(ids.map((id) => result(id, 1)));
    expect(outcomes).toEqual(ids.map((id) => (taken.includes(id) ? "late" : "first")));
    for (const id of ids) expect(await rowsOf(under, id)).toHaveLength(taken.includes(id) ? 2 : 1);
  });

  test("know their own rows when a write is repeated", async () => {
    const under = get();
    const ids = await newIds(under, 5);
    const rows = ids.map((id) => result(id, 1));
    await under.store.writeResults(rows.slice(0, 3));
    expect(await under.store.writeResults(rows)).toEqual(rows.map(() => "first"));
    expect(await under.store.writeResults(rows)).toEqual(rows.map(() => "first"));
    for (const id of ids) expect(await rowsOf(under, id)).toHaveLength(1);
  });

  test("know their own late and final rows when a master's or a late write is repeated", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const lost = result(id, 1, { outcome: OUTCOME.LOST });
    const late = result(id, 1, { endTime: 77 });
    for (let times = 0; times < 2; times++) {
      expect(await under.store.writeFinalRows(under.epoch, [lost])).toEqual(["first"]);
      expect(await under.store.writeResults([late])).toEqual(["late"]);
    }
    expect(await rowsOf(under, id)).toHaveLength(2);
  });

  test("drop a late LOST or CANCELLED, and whatever of a master's is late", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const final = result(id, 1);
    await under.store.writeResults([final]);
    for (const outcome of [OUTCOME.LOST, OUTCOME.CANCELLED]) {
      expect(await under.store.writeResults([result(id, 1, { outcome, node: 2 })])).toEqual(["late"]);
    }
    expect(
      await under.store.writeFinalRows(under.epoch, [result(id, 1, { outcome: OUTCOME.SKIPPED })]),
    ).toEqual(["late"]);
    expect(await rowsOf(under, id)).toEqual([final]);
  });

  test("tell a master's row from a node's that looks the same", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const row = result(id, 1, { outcome: OUTCOME.LOST });
    expect(await under.store.writeResults([row])).toEqual(["first"]);
    expect(await under.store.writeFinalRows(under.epoch, [row])).toEqual(["late"]);
  });

  test("are written late at once when the node says so", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const late = result(id, 1, { late: true });
    expect(await under.store.writeResults([late])).toEqual(["late"]);
    expect(await under.store.readFinalRows([late])).toEqual(new Map());
    expect(await rowsOf(under, id)).toEqual([late]);
  });

  test("take the first of two rows for one claim in one call", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const outcomes = await under.store.writeResults([
      result(id, 1, { node: 1 }),
      result(id, 1, { node: 2 }),
      result(id, 1, { node: 3 }),
    ]);
    expect(outcomes).toEqual(["first", "late", "late"]);
    expect((await rowsOf(under, id)).map((row) => [row.node, row.late])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  test("have one winner for each claim when several write at once", async () => {
    const under = get();
    const ids = await newIds(under, 40);
    const writers = [1, 2, 3, 4].map((node) => {
      const rows = ids.map((id) => result(id, 1, { node }));
      if (node % 2 === 0) rows.reverse();
      return (node % 2 === 0 ? under.store : under.other).writeResults(rows).then((outcomes) => {
        if (node % 2 === 0) outcomes.reverse();
        return outcomes;
      });
    });
    const outcomes = await Promise.all(writers);
    const finals = await under.store.readFinalRows(ids.map((jobId) => ({ jobId, claim: 1 })));
    for (const [index, id] of ids.entries()) {
      const winners = outcomes.flatMap((one, writer) => (one[index] === "first" ? [writer + 1] : []));
      expect(winners).toEqual([finals.get(id)?.node]);
    }
  });

  test("of every kind of end in one large batch are stored as they are", async () => {
    const under = get();
    const ids = await newIds(under, 700);
    const ends: Partial<ResultRecord>[] = [
      { output: "1" },
      {},
      { outcome: OUTCOME.FAILED, error: { name: "E", message: "m" }, retryAt: 5 },
      { reason: "r" },
      { startTime: 1, endTime: 2, attempt: 7, node: 9, placement: "" },
    ];
    const rows = ids.map((id, index) => result(id, 1, ends[(index * index) % ends.length] ?? {}));
    const [taken] = rows;
    await under.other.writeResults(taken === undefined ? [] : [{ ...taken, endTime: 1 }]);
    expect(await under.store.writeResults(rows)).toEqual(
      rows.map((_, index) => (index === 0 ? "late" : "first")),
    );
    const stored = await under.store.readFinalRows(rows);
    for (const row of rows.slice(1)) expect(stored.get(row.jobId)).toEqual(row);
  });

  test("take the first of two rows for one claim in one call, also when another kind of end comes second", async () => {
    const under = get();
    const [id = 0, other = 0] = await newIds(under, 2);
    const lost = result(id, 1, { outcome: OUTCOME.FAILED, error: { name: "E", message: "m" } });
    const rows = [lost, result(id, 1), result(other, 1)];
    expect(await under.store.writeResults(rows)).toEqual(["first", "late", "first"]);
    expect((await under.store.readFinalRows([lost])).get(id)).toEqual(lost);
  });

  test("of more than one statement's size are all stored", async () => {
    const under = get();
    const ids = await newIds(under, 1500);
    const output = JSON.stringify("x".repeat(3_000));
    const rows = ids.map((id) => result(id, 1, { output }));
    expect(new Set(await under.store.writeResults(rows))).toEqual(new Set(["first"]));
    expect((await under.store.readFinalRows(rows)).size).toBe(1500);
  });
});
