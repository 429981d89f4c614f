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
    const incarnation = "0123456789abcdef0123456789abcdef";
    const numbers: number[] = [];
    for (let times = 0; times < 2; times++) {
      await store.addClass(epoch, gpu);
      numbers.push(await store.registerNode(incarnation, "node-ü"));
    }
    const [number = 0] = numbers;
    expect(numbers).toEqual([number, number]);
    expect(await other.readClasses()).toEqual([gpu]);
    expect(await other.readNodes()).toEqual([{ number, incarnation, nodeId: "node-ü", unheardSince: null }]);
    expect(await other.findNode(incarnation)).toBe(number);
    expect(await other.findNode("another")).toBeNull();
  });

  test("gives each process that enters itself a number of its own, also many at once", async () => {
    const { store, other } = get();
    const names = Array.from({ length: 20 }, (_, index) => `process-${index >> 1}`);
    const numbers = await Promise.all(
      names.map((name, index) => (index % 2 === 0 ? store : other).registerNode(name, "n")),
    );
    expect(new Set(numbers).size).toBe(10);
    for (const [index, name] of names.entries()) expect(await store.findNode(name)).toBe(numbers[index]);
  });

  test("keeps since when a node has not been heard, until that is withdrawn", async () => {
    const { store, other, epoch } = get();
    const [one, two] = [await store.registerNode("one", "n1"), await store.registerNode("two", "n2")];
    const unheard = async () => {
      const nodes = await other.readNodes();
      return [one, two].map((number) => nodes.find((node) => node.number === number)?.unheardSince);
    };
    await store.noteUnheard(epoch, [
      { number: one, since: 5 },
      { number: two, since: 7 },
    ]);
    expect(await unheard()).toEqual([5, 7]);
    await store.noteUnheard(epoch, [{ number: one, since: null }]);
    expect(await unheard()).toEqual([null, 7]);
  });

  test("tells its identity, which stays, and where its master is found", async () => {
    const { store, other, epoch } = get();
    const { identity } = await store.readCluster();
    expect(identity.length).toBeGreaterThan(30);
    await store.announceReign(epoch, { address: "10.0.0.1:7070", lockKey: "a:cluster" });
    expect(await other.readCluster()).toEqual({ identity, address: "10.0.0.1:7070", lockKey: "a:cluster" });
  });

  test("keeps which handlers were offered, and when one last was", async () => {
    const { store, other, epoch } = get();
    const read = async () => new Map((await other.readHandlers()).map((one) => [one.name, one.lastOffered]));
    const before = await read();
    await store.noteHandlers(epoch, [
      { name: "Work", lastOffered: 5 },
      { name: "work", lastOffered: 7 },
      { name: "mail", lastOffered: 9 },
    ]);
    // Made again, or by one that knows less.
    await store.noteHandlers(epoch, [
      { name: "Work", lastOffered: 5 },
      { name: "work", lastOffered: 6 },
      { name: "mail", lastOffered: 10 },
    ]);
    expect(await read()).toEqual(new Map([...before, ["Work", 5], ["work", 7], ["mail", 10]]));
    await store.forgetHandlers(epoch, ["work", "mail", "nobody"], 7);
    expect(await read()).toEqual(new Map([...before, ["Work", 5], ["mail", 10]]));
    await store.forgetHandlers(epoch, ["Work", "mail"], 10);
    await store.forgetHandlers(epoch, [], 10);
    expect(await read()).toEqual(before);
  });

  test("keeps sets of jobs by their names, to the letter", async () => {
    const { store, other, epoch } = get();
    expect(await other.readJobSet("Billing")).toBeNull();
    const set = { name: "Billing", generation: Number.MAX_SAFE_INTEGER, jobs: ["a", "b:/$"] };
    await store.keepJobSet(epoch, set);
    // Made again.
    await store.keepJobSet(epoch, set);
    await store.keepJobSet(epoch, { name: "billing", generation: null, jobs: [] });
    expect(await other.readJobSet("Billing")).toEqual(set);
    expect(await other.readJobSet("billing")).toEqual({ name: "billing", generation: null, jobs: [] });
    await store.keepJobSet(epoch, { ...set, generation: 0, jobs: ["c"] });
    expect(await other.readJobSet("Billing")).toEqual({ ...set, generation: 0, jobs: ["c"] });
  });

  test("refuses a class number that stands for another", async () => {
    const { store, epoch } = get();
    await store.addClass(epoch, { id: 7, handler: "a", labels: {} });
    await expectCode(store.addClass(epoch, { id: 7, handler: "a ", labels: {} }), "internal");
  });

  test("tells the database's clock in whole milliseconds", async () => {
    const { store } = get();
    const now = await store.readClock();
    expect(Number.isInteger(now)).toBe(true);
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });
});
