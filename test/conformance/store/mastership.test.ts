import { expect, test } from "vitest";
import { describeStores, expectCode } from "../../fixtures/store-fixture.ts";

describeStores("mastership", (get) => {
  test("advances the epoch only from the one that was read", async () => {
    const { store, epoch, elect } = get();
    expect(await store.advanceEpoch(epoch - 1, { epoch: epoch + 5, incarnation: "late" })).toBe(false);
    const next = await elect();
    expect(await store.readMastership()).toEqual({ epoch: next, incarnation: `master-${next}` });
  });

  test("keeps the newest time zone data that any node has had, and by which one is computed", async () => {
    const { store, epoch, elect } = get();
    await store.offerZoneData("2026c");
    await store.offerZoneData("2026f");
    await store.offerZoneData("2026c");
    await store.setZonesComputed(epoch, "2026f");
    await store.setZonesComputed(epoch, "2026f");
    expect(await store.readZoneVersions()).toEqual({ newest: "2026f", computed: "2026f" });
    await elect();
    await expectCode(store.setZonesComputed(epoch, "2026c"), "stale_epoch");
    expect(await store.readZoneVersions()).toEqual({ newest: "2026f", computed: "2026f" });
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
