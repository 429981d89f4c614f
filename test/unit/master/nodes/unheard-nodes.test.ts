import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClusterTime } from "../../../../src/core/cluster-time.ts";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { UnheardNodes } from "../../../../src/master/nodes/unheard-nodes.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { NOW } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { until } from "../../../fixtures/until.ts";

let opened: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

async function start({ offMs = 0 } = {}) {
  const { store } = opened;
  const clock = new ManualClock();
  const number = await store.registerNode("a", "n1");
  let deposed = 0;
  const context = masterContext({ store, clock, deposed: () => deposed++ });
  clock.offMs = offMs;
  const unheard = new UnheardNodes(context);
  const noted = async () => (await store.readNodes())[0]?.unheardSince;
  return { store, clock, number, unheard, noted, deposed: () => deposed };
}

test("since when a node has not been heard is kept for the next master, in cluster time", async () => {
  const { clock, number, unheard, noted, store } = await start();
  clock.move(5_000);
  unheard.note(number, 2_000);
  await until("the note", async () => (await noted()) === NOW + 2_000);
  const next = new UnheardNodes(masterContext({ store, clock, time: new ClusterTime(clock, NOW + 5_000) }));
  next.load(await store.readNodes());
  expect(next.since(number, 5_000)).toBe(2_000);
  expect(next.since(number, 1_000)).toBe(1_000);
  expect(next.since(number + 1, 5_000)).toBe(5_000);
});

test("a note is withdrawn in the database before its node may be answered", async () => {
  const { number, unheard, noted } = await start();
  unheard.note(number, 0);
  expect(await unheard.withdraw(number)).toBe(true);
  expect(await noted()).toBeNull();
});

test("a node is not answered while its note cannot be withdrawn", async () => {
  const { store, number, unheard, noted } = await start();
  unheard.note(number, 0);
  await until("the note", async () => (await noted()) === NOW);
  const { noteUnheard } = store;
  store.noteUnheard = () => Promise.reject(new ElasticJobError("unavailable", "no answer"));
  expect(await unheard.withdraw(number)).toBe(false);
  store.noteUnheard = noteUnheard;
  expect(await unheard.withdraw(number)).toBe(true);
  expect(await noted()).toBeNull();
});

test("a note whose write may have been carried out is withdrawn, too", async () => {
  const { store, number, unheard, noted } = await start();
  const { noteUnheard } = store;
  store.noteUnheard = async (...asked) => {
    await noteUnheard.apply(store, asked);
    throw new ElasticJobError("unavailable", "no answer");
  };
  unheard.note(number, 0);
  await until("the write", async () => (await noted()) === NOW);
  store.noteUnheard = noteUnheard;
  expect(await unheard.withdraw(number)).toBe(true);
  expect(await noted()).toBeNull();
});

test("a deposed master withdraws nothing, and answers nobody", async () => {
  const { store, number, unheard, noted } = await start();
  unheard.note(number, 0);
  await until("the note", async () => (await noted()) === NOW);
  await store.advanceEpoch(1, { epoch: 2, incarnation: "another" });
  await expect(unheard.withdraw(number)).rejects.toMatchObject({ code: "stale_epoch" });
  expect(await noted()).toBe(NOW);
});

test("a note keeps the first time that a node was unheard, until it is withdrawn: then the next one counts", async () => {
  const { store, clock, number, unheard, noted } = await start();
  const writes = vi.spyOn(store, "noteUnheard");
  unheard.note(number, 0);
  await until("the note", async () => (await noted()) === NOW);
  clock.move(5_000);
  unheard.note(number, 5_000);
  await settled();
  expect(writes).toHaveBeenCalledTimes(1);
  expect(await Promise.all([unheard.withdraw(number), unheard.withdraw(number)])).toEqual([true, true]);
  expect(await unheard.withdraw(number)).toBe(true);
  // Nothing is left to withdraw after the first.
  expect(writes).toHaveBeenCalledTimes(2);
  unheard.note(number, 5_000);
  await until("the next note", async () => (await noted()) === NOW + 5_000);
});

test("a note that another epoch refuses ends the mastership; one that is not answered does not", async () => {
  const { store, number, unheard, deposed } = await start();
  const { noteUnheard } = store;
  store.noteUnheard = () => Promise.reject(new ElasticJobError("unavailable", "no answer"));
  unheard.note(number, 0);
  await settled();
  expect(deposed()).toBe(0);
  store.noteUnheard = noteUnheard;
  await store.advanceEpoch(1, { epoch: 2, incarnation: "another" });
  unheard.note(number + 1, 0);
  await until("the end", () => deposed() === 1);
});

test("notes of other masters count for nothing while the database's clock is in doubt", async () => {
  const { store, clock, number, unheard, noted } = await start();
  unheard.note(number, 0);
  await until("the note", async () => (await noted()) === NOW);
  clock.move(5_000);
  const next = new UnheardNodes(masterContext({ store, clock, time: new ClusterTime(clock, NOW + 5_000) }));
  next.load(await store.readNodes());
  for (const [offMs, since] of [
    [60_001, 5_000],
    [60_000, 0],
    [-60_000, 0],
    [-60_001, 5_000],
  ]) {
    clock.offMs = offMs ?? 0;
    expect(next.since(number, 5_000)).toBe(since);
  }
});
