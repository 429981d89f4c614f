import { expect, test } from "vitest";
import { NEVER } from "../../../src/core/job.ts";
import {
  describeStores,
  expectCode,
  job,
  NOW,
  newIds,
  readKeyIds,
  type StoreUnderTest,
  spec,
} from "../../fixtures/store-fixture.ts";

async function addWithKey(under: StoreUnderTest, name: string): Promise<number> {
  const [id = 0] = await newIds(under, 1);
  const row = job(id, { spec: spec({ idempotencyKey: name }) });
  await under.store.insertJobs(under.epoch, [row], [{ key: `job:${name}`, jobId: id, expiresAt: NEVER }]);
  return id;
}

describeStores("keys", (get) => {
  test("are taken by the job that was added under them", async () => {
    const under = get();
    const id = await addWithKey(under, "order-1");
    expect(await readKeyIds(under.other, under.epoch, ["job:order-1", "job:order-2"], NOW)).toEqual(
      new Map([["job:order-1", id]]),
    );
  });

  test("can be kept for a job that is to go, and longer; not by a master that is one no more", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const key = { key: `gone:${id}`, jobId: id, expiresAt: NOW + 1_000, digest: new Uint8Array([1, 2, 3]) };
    await under.store.keepKey(under.epoch, key);
    await under.store.keepKey(under.epoch, { ...key, expiresAt: NOW + 5_000 });
    const taken = await under.other.readKeys(under.epoch, [key.key], NOW + 4_000);
    expect(taken.get(key.key)).toEqual({ jobId: id, digest: expect.anything() });
    expect([...(taken.get(key.key)?.digest ?? [])]).toEqual([1, 2, 3]);
    expect(await readKeyIds(under.other, under.epoch, [key.key], NOW + 5_001)).toEqual(new Map());
    const stale = under.store.keepKey(under.epoch - 1, { ...key, key: "gone:stale" });
    await expectCode(stale, "stale_epoch");
    expect(await readKeyIds(under.other, under.epoch, ["gone:stale"], NOW)).toEqual(new Map());
  });

  test("that are taken refuse the whole call, and nothing of it is stored", async () => {
    const under = get();
    const id = await addWithKey(under, "taken");
    const [a = 0, b = 0] = await newIds(under, 2);
    const error = await expectCode(
      under.store.insertJobs(
        under.epoch,
        [job(a), job(b)],
        [
          { key: "job:still-free", jobId: a, expiresAt: NEVER },
          { key: "job:taken", jobId: b, expiresAt: NEVER },
        ],
      ),
      "key_taken",
    );
    expect(error.message).toContain("job:taken");
    expect((await under.store.readJobs([a, b])).size).toBe(0);
    expect(await readKeyIds(under.store, under.epoch, ["job:still-free", "job:taken"], NOW)).toEqual(
      new Map([["job:taken", id]]),
    );
    // The connection that was refused has no transaction left open.
    await under.store.insertJobs(
      under.epoch,
      [job(a)],
      [{ key: "job:still-free", jobId: a, expiresAt: NEVER }],
    );
  });

  test.each([1, 24, 25, 137, 999])("go in with %i jobs of a call, or none of it does", async (count) => {
    const under = get();
    const key = `call:of ${count}`;
    const first = await newIds(under, count);
    const keys = [{ key, jobId: first[0] ?? 0, expiresAt: NEVER }];
    await under.store.insertJobs(
      under.epoch,
      first.map((id) => job(id)),
      keys,
    );
    // After a lost answer.
    await under.store.insertJobs(
      under.epoch,
      first.map((id) => job(id)),
      keys,
    );
    expect((await under.store.readJobs(first)).size).toBe(count);

    const second = await newIds(under, count);
    const again = second.map((id) => job(id));
    await expectCode(under.store.insertJobs(under.epoch, again, keys), "key_taken");
    expect((await under.store.readJobs(second)).size).toBe(0);
    await under.store.insertJobs(under.epoch, again, []);
    expect((await under.store.readJobs(second)).size).toBe(count);
  });

  test("may be repeated by the call that took them", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const keys = [{ key: "call:repeat", jobId: id, expiresAt: NOW }];
    await under.store.insertJobs(under.epoch, [job(id)], keys);
    await under.store.insertJobs(under.epoch, [job(id)], keys);
    expect((await under.store.readJobs([id])).size).toBe(1);
  });

  test("are free after their time, though the job is there", async () => {
    const under = get();
    const [a = 0, b = 0] = await newIds(under, 2);
    const key = "call:expires";
    await under.store.insertJobs(under.epoch, [job(a)], [{ key, jobId: a, expiresAt: NOW }]);
    expect(await readKeyIds(under.store, under.epoch, [key], NOW - 1)).toEqual(new Map([[key, a]]));
    expect(await readKeyIds(under.store, under.epoch, [key], NOW)).toEqual(new Map());
    await under.store.insertJobs(under.epoch, [job(b)], [{ key, jobId: b, expiresAt: NOW + 1 }]);
    expect(await readKeyIds(under.store, under.epoch, [key], NOW)).toEqual(new Map([[key, b]]));
  });

  test("of a call hold until they expire, though the first item was refused", async () => {
    const under = get();
    const [refused = 0, added = 0] = await newIds(under, 2);
    await under.store.insertJobs(
      under.epoch,
      [job(added)],
      [{ key: "call:first-refused", jobId: refused, expiresAt: NOW + 1 }],
    );
    expect(await readKeyIds(under.store, under.epoch, ["call:first-refused"], NOW)).toEqual(
      new Map([["call:first-refused", refused]]),
    );
  });

  test("are free when their job is gone", async () => {
    const under = get();
    const id = await addWithKey(under, "gone");
    expect(await under.store.deleteJob(under.epoch, id, { claim: 0, revision: 1, status: 1 })).toBe(true);
    // Deleted with the job: no need to ask for it first.
    const again = await addWithKey(under, "gone");
    expect(await readKeyIds(under.store, under.epoch, ["job:gone"], NOW)).toEqual(
      new Map([["job:gone", again]]),
    );
  });

  test("of a job with a time of their own are free after it, or when the job is gone", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const key = "job:for-a-while";
    const row = job(id, { spec: spec({ idempotencyKey: "for-a-while", keyLife: 1 }) });
    await under.store.insertJobs(under.epoch, [row], [{ key, jobId: id, expiresAt: NOW + 1 }]);
    expect(await readKeyIds(under.store, under.epoch, [key], NOW)).toEqual(new Map([[key, id]]));
    await under.store.deleteJob(under.epoch, id, { claim: 0, revision: 1, status: 1 });
    expect(await readKeyIds(under.store, under.epoch, [key], NOW)).toEqual(new Map());
    const [a = 0, b = 0] = await newIds(under, 2);
    await under.store.insertJobs(under.epoch, [job(a)], [{ key, jobId: a, expiresAt: NOW + 1 }]);
    expect(await readKeyIds(under.store, under.epoch, [key], NOW + 1)).toEqual(new Map());
    await under.store.insertJobs(under.epoch, [job(b)], [{ key, jobId: b, expiresAt: NEVER }]);
    expect(await readKeyIds(under.store, under.epoch, [key], NOW + 1)).toEqual(new Map([[key, b]]));
  });

  test("stay when a job is deleted that they name no longer", async () => {
    const under = get();
    const id = await addWithKey(under, "inherited");
    await under.store.freeKeys(under.epoch, [{ key: "job:inherited", jobId: id }]);
    const heir = await addWithKey(under, "inherited");
    expect(await under.store.deleteJob(under.epoch, id, { claim: 0, revision: 1, status: 1 })).toBe(true);
    expect(await readKeyIds(under.store, under.epoch, ["job:inherited"], NOW)).toEqual(
      new Map([["job:inherited", heir]]),
    );
  });

  test("have what was asked for under them, as it was given, or nothing", async () => {
    const under = get();
    const digests = [
      new Uint8Array([0, 255, 39, 92, 10]),
      new Uint8Array(100_000).fill(200),
      new Uint8Array(),
    ];
    const [ids, bare] = [await newIds(under, 3), await addWithKey(under, "bare")];
    for (const [index, digest] of digests.entries()) {
      const [key, jobId] = [`call:digest ${index}`, ids[index] ?? 0];
      await under.store.insertJobs(under.epoch, [job(jobId)], [{ key, jobId, expiresAt: NEVER, digest }]);
    }
    const keys = ["call:digest 0", "call:digest 1", "call:digest 2", "job:bare"];
    const taken = await under.other.readKeys(under.epoch, keys, NOW);
    expect([...taken.values()].map(({ digest }) => [...digest])).toEqual([
      ...digests.map((bytes) => [...bytes]),
      [],
    ]);
    expect(taken.get("job:bare")?.jobId).toBe(bare);
  });

  test("are freed one by one, where a job has several", async () => {
    const under = get();
    const id = await addWithKey(under, "one-of-two");
    const [other = 0] = await newIds(under, 1);
    const call = { key: "call:two-of-two", jobId: id, expiresAt: NEVER };
    await under.store.insertJobs(under.epoch, [job(other)], [call]);
    await under.store.freeKeys(under.epoch, [{ key: "job:one-of-two", jobId: id }]);
    expect(await readKeyIds(under.store, under.epoch, ["job:one-of-two", call.key], NOW)).toEqual(
      new Map([[call.key, id]]),
    );
  });

  test("are freed where they still name that job", async () => {
    const under = get();
    const id = await addWithKey(under, "to-free");
    const kept = await addWithKey(under, "to-keep");
    const keys = ["job:to-free", "job:to-keep"];
    await under.store.freeKeys(under.epoch, []);
    await under.store.freeKeys(under.epoch, [
      { key: "job:to-free", jobId: id },
      { key: "job:to-keep", jobId: id },
      { key: "job:nobody's", jobId: id },
    ]);
    expect(await readKeyIds(under.store, under.epoch, keys, NOW)).toEqual(new Map([["job:to-keep", kept]]));
    await addWithKey(under, "to-free");
  });

  test("compare byte by byte", async () => {
    const under = get();
    const names = ["Key", "key", "key ", "kéy", "ke\u0301y", "k\u0000", "ß", "ss", "🚀"];
    const ids: number[] = [];
    for (const name of names) ids.push(await addWithKey(under, name));
    const keys = names.map((name) => `job:${name}`);
    expect(await readKeyIds(under.store, under.epoch, keys, NOW)).toEqual(
      new Map(keys.map((key, index) => [key, ids[index]])),
    );
  });

  test("may be 255 bytes long, and no longer", async () => {
    const under = get();
    await addWithKey(under, "ü".repeat(125));
    await expectCode(addWithKey(under, "ü".repeat(126)), "invalid_argument");
  });

  test("are given to one of several that add under one at once", async () => {
    const under = get();
    const ids = await newIds(under, 10);
    const added = await Promise.allSettled(
      ids.map((id, index) =>
        (index % 2 === 0 ? under.store : under.other).insertJobs(
          under.epoch,
          [job(id)],
          [{ key: "job:raced", jobId: id, expiresAt: NEVER }],
        ),
      ),
    );
    const winners = ids.filter((_, index) => added[index]?.status === "fulfilled");
    expect(winners).toHaveLength(1);
    expect([...(await under.store.readJobs(ids)).keys()]).toEqual(winners);
  });
});
