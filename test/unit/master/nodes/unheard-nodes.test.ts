import { afterEach, beforeEach, expect, test } from "vitest";
import { ClusterTime } from "../../../../src/core/cluster-time.ts";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { UnheardNodes } from "../../../../src/master/nodes/unheard-nodes.ts";
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

test("notes of other masters count for nothing while the database's clock is in doubt", async () => {
  const { store, clock, number, unheard, noted } = await start();
  unheard.note(number, 0);
  await until("the note", async () => (await noted()) === NOW);
  clock.move(5_000);
  clock.offMs = 120_000;
  const next = new UnheardNodes(masterContext({ store, clock, time: new ClusterTime(clock, NOW + 5_000) }));
  next.load(await store.readNodes());
  expect(next.since(number, 5_000)).toBe(5_000);
});
