import { expect, test } from "vitest";
import { NEVER } from "../../../src/core/job.ts";
import { describeStores, expectCode, job, newIds, result } from "../../fixtures/store-fixture.ts";

describeStores("mastership", (get) => {
  test("advances the epoch only from the one that was read", async () => {
    const { store, epoch, elect } = get();
    expect(await store.advanceEpoch(epoch - 1, { epoch: epoch + 5, incarnation: "late" })).toBe(false);
    const next = await elect();
    expect(await store.readMastership()).toEqual({ epoch: next, incarnation: `master-${next}` });
  });

  test("knows its own advance when it is repeated", async () => {
    const { store, epoch, elect } = get();
    const mine = { epoch: epoch + 1, incarnation: "mine" };
    expect(await store.advanceEpoch(epoch, mine)).toBe(true);
    expect(await store.advanceEpoch(epoch, mine)).toBe(true);
    expect(await store.advanceEpoch(epoch, { ...mine, incarnation: "another" })).toBe(false);
    await elect();
  });

  test("lets one of many racing masters advance the epoch", async () => {
    const { store, other, epoch, elect } = get();
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).advanceEpoch(epoch, {
          epoch: epoch + 1,
          incarnation: `racer-${index}`,
        }),
      ),
    );
    expect(won.filter((one) => one)).toHaveLength(1);
    expect((await store.readMastership()).incarnation).toBe(`racer-${won.indexOf(true)}`);
    await elect();
  });

  test("gives each reservation ids of its own, also between two processes", async () => {
    const { store, other, epoch } = get();
    const sizes = Array.from({ length: 40 }, (_, index) => 1 + (index % 7));
    const firsts = await Promise.all(
      sizes.map((size, index) => (index % 2 === 0 ? store : other).reserveIds(epoch, size)),
    );
    const ids = firsts.flatMap((first, index) =>
      Array.from({ length: sizes[index] ?? 0 }, (_, offset) => first + offset),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.min(...ids)).toBeGreaterThan(0);
  });

  test("raises no ids when all that are there were reserved, and not twice", async () => {
    const under = get();
    const [id = 0, another = 0] = await newIds(under, 2);
    const key = { key: `call:${id}`, jobId: id, expiresAt: NEVER };
    await under.store.insertJobs(under.epoch, [job(another)], [key]);
    expect(await under.store.raiseIds(under.epoch)).toBeNull();
    expect(await under.other.raiseIds(under.epoch)).toBeNull();
  });

  test("raises ids above jobs, results and the blocks of call keys that were not reserved", async () => {
    const under = get();
    const { store, other } = under;
    const next = async () => (await store.reserveIds(under.epoch, 1)) + 1;

    const first = await next();
    await store.insertJobs(under.epoch, [job(first + 20)], []);
    expect(await store.raiseIds(under.epoch)).toEqual({ from: first, to: first + 21 });
    expect(await other.reserveIds(under.epoch, 5)).toBe(first + 21);

    const second = await next();
    await store.writeResults([result(second + 30, 1)]);
    expect(await store.raiseIds(under.epoch)).toEqual({ from: second, to: second + 31 });

    const third = await next();
    const key = { key: `call:${third}`, jobId: third + 50, expiresAt: NEVER };
    await store.insertJobs(under.epoch, [job(third)], [key]);
    expect(await store.raiseIds(under.epoch)).toEqual({ from: third, to: third + 50 + 10_000 });
    expect(await other.raiseIds(under.epoch)).toBeNull();
  });

  test("raises no ids under an epoch that is over", async () => {
    const under = get();
    const next = await under.store.reserveIds(under.epoch, 1);
    const old = under.epoch;
    await under.store.insertJobs(old, [job(next + 10)], []);
    await under.elect();
    await expectCode(under.store.raiseIds(old), "stale_epoch");
    expect(await under.store.raiseIds(under.epoch)).toEqual({ from: next + 1, to: next + 11 });
  });

  test("keeps classes and nodes, and takes the same one twice", async () => {
    const { store, other, epoch } = get();
    const gpu = { id: 1, handler: "render ", labels: { gpu: "true", zone: "ä" } };
    const node = { number: 1, incarnation: "0123456789abcdef0123456789abcdef", nodeId: "node-ü" };
    for (let times = 0; times < 2; times++) {
      await store.addClass(epoch, gpu);
      await store.addNode(epoch, node);
    }
    expect(await other.readClasses()).toEqual([gpu]);
    expect(await other.readNodes()).toEqual([node]);
  });

  test("refuses a class or node number that stands for another", async () => {
    const { store, epoch } = get();
    await store.addClass(epoch, { id: 7, handler: "a", labels: {} });
    await store.addNode(epoch, { number: 7, incarnation: "a", nodeId: "a" });
    await expectCode(store.addClass(epoch, { id: 7, handler: "a ", labels: {} }), "internal");
    await expectCode(store.addNode(epoch, { number: 7, incarnation: "b", nodeId: "a" }), "internal");
  });

  test("tells the database's clock in whole milliseconds", async () => {
    const { store } = get();
    const now = await store.readClock();
    expect(Number.isInteger(now)).toBe(true);
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });
});
