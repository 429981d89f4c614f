/** G2: every write of a master is refused, and nothing of it stored, once another epoch has begun. */
import { beforeEach, expect, test } from "vitest";
import { ElasticJobError, isError } from "../../../src/core/errors.ts";
import { NEVER, OUTCOME } from "../../../src/core/job.ts";
import {
  addJobs,
  addRunning,
  describeStores,
  expectCode,
  job,
  newIds,
  projection,
  readKeyIds,
  result,
} from "../../fixtures/store-fixture.ts";

describeStores("a deposed master", (get) => {
  beforeEach(async () => {
    await get().elect();
  });

  test("adds no job", async () => {
    const under = get();
    const [a = 0, b = 0] = await newIds(under, 2);
    await under.depose();
    await expectCode(under.store.insertJobs(under.epoch, [job(a), job(b)], []), "stale_epoch");
    expect(await under.store.readJobs([a, b])).toEqual(new Map());
  });

  test("adds no job with a key, and leaves the key free", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    await under.depose();
    const key = { key: `job:fence-${id}`, jobId: id, expiresAt: NEVER };
    await expectCode(under.store.insertJobs(under.epoch, [job(id)], [key]), "stale_epoch");
    expect(await under.store.readJobs([id])).toEqual(new Map());
    await under.elect();
    await under.store.insertJobs(under.epoch, [job(id)], [key]);
    expect(await readKeyIds(under.store, under.epoch, [key.key], 0)).toEqual(new Map([[key.key, id]]));
  });

  test("claims nothing", async () => {
    const under = get();
    const [one] = await addJobs(under, 1);
    const id = one?.id ?? 0;
    await under.depose();
    await expectCode(
      under.store.claimJobs(under.epoch, 1, [{ jobId: id, claim: 1, revision: 1 }], 0),
      "stale_epoch",
    );
    expect(await under.store.readJobs([id])).toEqual(new Map([[id, one]]));
  });

  test("writes no final row", async () => {
    const under = get();
    const jobs = await addRunning(under, 2);
    await under.depose();
    const rows = jobs.map((one) => result(one.id, 1, { outcome: OUTCOME.LOST }));
    await expectCode(under.store.writeFinalRows(under.epoch, rows), "stale_epoch");
    expect(await under.store.readFinalRows(rows)).toEqual(new Map());
  });

  test("writes no final row either where a node's stands already", async () => {
    const under = get();
    const [a, b] = await addRunning(under, 2);
    await under.store.writeResults([result(a?.id ?? 0, 1)]);
    await under.depose();
    const rows = [result(a?.id ?? 0, 1, { node: 9 }), result(b?.id ?? 0, 1, { node: 9 })];
    await expectCode(under.store.writeFinalRows(under.epoch, rows), "stale_epoch");
    expect([...(await under.store.readFinalRows(rows)).values()].map((row) => row.node)).toEqual([1]);
  });

  test("projects nothing, alike or not", async () => {
    const under = get();
    const jobs = await addRunning(under, 3);
    await under.depose();
    const alike = jobs.map((one) => projection(one.id));
    const mixed = jobs.map((one, index) => projection(one.id, { at: index }));
    await expectCode(under.store.projectJobs(alike, under.epoch), "stale_epoch");
    await expectCode(under.store.projectJobs(mixed, under.epoch), "stale_epoch");
    const stored = await under.store.readJobs(jobs.map((one) => one.id));
    expect([...stored.values()].map((one) => one.status)).toEqual([3, 3, 3]);
  });

  test("changes and deletes nothing", async () => {
    const under = get();
    const [one = job(0)] = await addJobs(under, 1);
    const guard = { claim: 0, revision: 1, status: one.status };
    await under.depose();
    await expectCode(
      under.store.changeJob(under.epoch, { jobId: one.id, guard, row: { ...one, revision: 2 } }),
      "stale_epoch",
    );
    await expectCode(under.store.deleteJob(under.epoch, one.id, guard), "stale_epoch");
    expect(await under.store.readJobs([one.id])).toEqual(new Map([[one.id, one]]));
  });

  test("reserves no ids, adds no class, notes nothing of a node, announces no reign, and frees no key", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const key = { key: `call:${id}`, jobId: id, expiresAt: 10 };
    await under.store.insertJobs(under.epoch, [job(id)], [key]);
    const number = await under.store.registerNode(`process ${id}`, "x");
    const before = await under.store.readCluster();
    await under.store.noteHandlers(under.epoch, [{ name: "kept", lastOffered: 1 }]);
    await under.store.keepJobSet(under.epoch, { name: "kept", generation: 1, jobs: ["a"] });
    await under.depose();
    await expectCode(under.store.reserveIds(under.epoch, 5), "stale_epoch");
    await expectCode(under.store.addClass(under.epoch, { id, handler: "x", labels: {} }), "stale_epoch");
    await expectCode(under.store.noteUnheard(under.epoch, [{ number, since: 1 }]), "stale_epoch");
    const offered = { name: "of the deposed", lastOffered: 1 };
    await expectCode(under.store.noteHandlers(under.epoch, [offered]), "stale_epoch");
    const set = { name: "kept", generation: 2, jobs: ["b"] };
    for (const name of ["kept", "new"]) {
      await expectCode(under.store.keepJobSet(under.epoch, { ...set, name }), "stale_epoch");
    }
    await expectCode(under.store.forgetHandlers(under.epoch, ["kept"], 9), "stale_epoch");
    const reign = { address: "of the deposed", lockKey: "cluster" };
    await expectCode(under.store.announceReign(under.epoch, reign), "stale_epoch");
    await expectCode(readKeyIds(under.store, under.epoch, [key.key], 20), "stale_epoch");
    await expectCode(under.store.freeKeys(under.epoch, [key]), "stale_epoch");
    expect((await under.store.readClasses()).some((one) => one.id === id)).toBe(false);
    const nodes = await under.store.readNodes();
    expect(nodes.find((one) => one.number === number)?.unheardSince).toBeNull();
    expect(await under.store.readCluster()).toEqual(before);
    expect((await under.store.readHandlers()).map(({ name }) => name)).toEqual(["kept"]);
    expect(await under.store.readJobSet("kept")).toMatchObject({ generation: 1, jobs: ["a"] });
    expect(await under.store.readJobSet("new")).toBeNull();
  });

  test("wins no race: what it says it wrote was committed before the epoch moved", async () => {
    const under = get();
    const jobs = await addJobs(under, 60);
    const { epoch } = under;
    const outcomes = jobs.map((one) =>
      under.store.claimJobs(epoch, 1, [{ jobId: one.id, claim: 1, revision: 1 }], 0).then(
        () => true,
        () => false,
      ),
    );
    const moved = under.depose().then(async () => {
      const seen = await under.other.readJobs(jobs.map((one) => one.id));
      return jobs.map((one) => seen.get(one.id)?.status === 3);
    });
    const claimed = await Promise.all(outcomes);
    // Nothing is claimed after the moment that the next master could start to read.
    expect(await moved).toEqual(claimed);
  });

  test("wins no race with its final rows either", async () => {
    const under = get();
    const jobs = await addRunning(under, 60);
    const rows = jobs.map((one) => result(one.id, 1, { outcome: OUTCOME.LOST }));
    const { epoch } = under;
    const outcomes = rows.map((row) =>
      under.store.writeFinalRows(epoch, [row]).then(
        () => true,
        () => false,
      ),
    );
    const moved = under.depose().then(async () => {
      const seen = await under.other.readFinalRows(rows);
      return rows.map((row) => seen.has(row.jobId));
    });
    const written = await Promise.all(outcomes);
    expect(await moved).toEqual(written);
  });
});

describeStores("a master", (get) => {
  test("takes no row that lacks another value for the end of its epoch", async () => {
    const under = get();
    const [one = job(0)] = await addRunning(under, 1);
    const row = result(one.id, 1, { outcome: OUTCOME.LOST, placement: null as unknown as string });
    const error = await under.store.writeFinalRows(under.epoch, [row]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ElasticJobError);
    expect(isError(error, "stale_epoch")).toBe(false);
  });
});
