import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ElasticJobError, invalidArgument } from "../../../../src/core/errors.ts";
import type { AddedJob, KeyPart } from "../../../../src/master/job-api.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { openSqliteStore } from "../../../../src/store/open.ts";
import { systemClock } from "../../../../src/system-clock.ts";
import { itemOf, refusedItem } from "../../../fixtures/add-items.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { startMaster, startMastership, type TestMaster } from "../../../fixtures/test-master.ts";

const EVERY_HOUR = { kind: "cron", expression: "0 * * * *", timeZone: "UTC" } as const;
const good = (name: string) => itemOf(specOf({ handler: "work", name }));
const refusal = invalidArgument([{ field: "timed.runAt", message: "is refused" }]);
const refused = (name: string) => refusedItem(refusal, good(name).asked);

function idOf(outcome: AddedJob | ElasticJobError | undefined): number {
  if (outcome === undefined || outcome instanceof ElasticJobError) throw outcome ?? new Error("no outcome");
  return outcome.jobId;
}

interface Opened {
  readonly master: TestMaster;
  readonly store: JobStore;
  /** How many statements have asked for keys. */
  reads(): number;
}

/** `prepare` may put something between the master and the store. */
async function open(prepare: (store: JobStore) => void = () => {}): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "elastic-job-call-"));
  const store = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  const { readKeys } = store;
  let reads = 0;
  store.readKeys = (...asked) => {
    reads++;
    return readKeys.apply(store, asked);
  };
  prepare(store);
  const master = await startMaster(store, { embedded: true });
  onTestFinished(async () => {
    await master.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { master, store, reads: () => reads };
}

test("a call that is made again finds its jobs by their places, whatever is refused by then", async () => {
  const { master, store } = await open();
  const first = await master.api.addJobs([refused("a"), good("b"), good("c")], "a call");
  expect(first[0]).toBe(refusal);
  expect(idOf(first[2])).toBe(idOf(first[1]) + 1);

  const again = await master.api.addJobs([good("a"), refused("b"), good("c")], "a call");
  expect(again.slice(1)).toEqual(first.slice(1));
  expect(idOf(again[0])).toBe(idOf(first[1]) - 1);

  const last = await master.api.addJobs([refused("a"), refused("b"), refused("c")], "a call");
  expect(last.map(idOf)).toEqual(again.map(idOf));
  expect((await store.listJobs({}, { before: null, limit: 10 })).items.map(({ spec }) => spec.name)).toEqual([
    "c",
    "b",
    "a",
  ]);
});

test("an add that is made again is answered with the time of the first, jitter and all", async () => {
  const { master } = await open();
  const fields = { handler: "work", schedule: EVERY_HOUR, jitterMs: 600_000 } as const;
  const jobs = ["a", "b", "c"].map((name) => itemOf(specOf({ ...fields, name })));
  const first = await master.api.addJobs(jobs, "with jitter");
  expect(await master.api.addJobs(jobs, "with jitter")).toEqual(first);

  const own = jobs.map(({ spec }, index) => itemOf(specOf({ ...spec, idempotencyKey: `own-${index}` })));
  const timesOf = (outcomes: (AddedJob | ElasticJobError)[]) =>
    outcomes.map((outcome) => (outcome instanceof ElasticJobError ? outcome : outcome.nextRunAt));
  const once = timesOf(await master.api.addJobs(own, null));
  expect(timesOf(await master.api.addJobs(own, null))).toEqual(once);
  expect(new Set(once).size).toBe(3);
});

test("a call that was cut short leaves nothing that its repetition would add twice", async () => {
  let failing = 1;
  const { master, store } = await open((under) => {
    const { insertJobs } = under;
    // The statement that carries the key is lost; on the next try, one of the others.
    under.insertJobs = async (epoch, jobs, keys) => {
      if (failing-- === 1) throw new ElasticJobError("unavailable", "no answer");
      return insertJobs.call(under, epoch, jobs, keys);
    };
  });
  const call = Array.from({ length: 600 }, (_, index) => good(`job ${index}`));
  const count = async () => (await store.listJobs({}, { before: null, limit: 1000 })).items.length;

  const lost = await master.api.addJobs(call, "a long call");
  expect(lost.every((outcome) => outcome instanceof ElasticJobError)).toBe(true);
  expect(await count()).toBe(0);

  failing = 2;
  const partial = await master.api.addJobs(call, "a long call");
  expect(partial.some((outcome) => outcome instanceof ElasticJobError)).toBe(true);
  const whole = await master.api.addJobs(call, "a long call");
  expect(new Set(whole.map(idOf)).size).toBe(600);
  expect(await count()).toBe(600);
});

test.each<[string, KeyPart | null]>([
  ["a whole one", null],
  ["a part of a shared one", { jobs: 10, first: 0 }],
])("a job that was deleted is not added again when its call is made again: %s", async (_, part) => {
  const { master, store } = await open();
  const items = [good("a"), good("b"), good("c")];
  const first = await master.api.addJobs(items, "a call", part);
  const [, deleted] = first.map(idOf);
  await master.api.deleteJob(deleted ?? 0);
  expect(await master.api.addJobs(items, "a call", part)).toEqual(first);
  expect((await store.readJobs([deleted ?? 0])).size).toBe(0);
  // The next master finds it, too.
  const next = await startMastership(store);
  expect(await next.api.addJobs(items, "a call", part)).toEqual(first);
  expect((await store.readJobs([deleted ?? 0])).size).toBe(0);
  next.end.abort();
});

test("a call that is made for the first time asks the database for no key", async () => {
  const { master, reads } = await open();
  await master.api.addJobs([good("a"), good("b")], "a call");
  await master.api.addJobs([good("a"), good("b")], "another");
  expect(reads()).toBe(0);
});

test("many jobs with keys of their own are asked for together, and added once", async () => {
  const { master, reads } = await open();
  const call = Array.from({ length: 1500 }, (_, index) =>
    itemOf(specOf({ handler: "work", idempotencyKey: `key ${index}` })),
  );
  const first = await master.api.addJobs(call, null);
  expect(first.map((outcome) => "created" in outcome && outcome.created)).not.toContain(false);
  expect(new Set(first.map(idOf)).size).toBe(1500);
  const again = await master.api.addJobs(call, "with a key of the call");
  expect(again.map(idOf)).toEqual(first.map(idOf));
  expect(again.map((outcome) => "created" in outcome && outcome.created)).not.toContain(true);
  expect(reads()).toBeLessThan(12);
});

test("a call whose first jobs have keys is found again, with what was new then", async () => {
  const { master } = await open();
  const call = [itemOf(specOf({ handler: "work", idempotencyKey: "own" })), good("b"), good("c")];
  const first = await master.api.addJobs(call, "a call");
  const again = await master.api.addJobs(call, "a call");
  expect(again).toEqual(first);
});

test("a key that a node made for its own retries has nothing to compare stored beside it", async () => {
  const { master, store } = await open();
  const first = await master.api.addJobs([good("a"), good("b")], "a node's own", "retries");
  expect(await master.api.addJobs([good("a"), good("b")], "a node's own", "retries")).toEqual(first);
  await master.api.addJobs([good("a")], "a caller's");
  const { epoch } = await store.readMastership();
  const keys = ["call:a node's own", "call:a caller's"];
  const taken = await store.readKeys(epoch, keys, 0);
  expect(keys.map((key) => taken.get(key)?.digest.length === 0)).toEqual([true, false]);
});

describe("calls that share a key", () => {
  const from = (first: number, jobs = 1_000): KeyPart => ({ jobs, first });
  const names = async (store: JobStore) =>
    (await store.listJobs({}, { before: null, limit: 10_000 })).items.map(({ spec }) => spec.name).reverse();
  /** How many statements have carried keys, and what each does before it is carried out. */
  function watchInserts(store: JobStore): { keyed: number; before: (names: string[]) => Promise<void> } {
    const { insertJobs } = store;
    const before: (names: string[]) => Promise<void> = async () => {};
    const seen = { keyed: 0, before };
    store.insertJobs = async (epoch, jobs, keys) => {
      if (keys.length > 0) seen.keyed++;
      await seen.before(jobs.map(({ spec }) => spec.name));
      return insertJobs.call(store, epoch, jobs, keys);
    };
    return seen;
  }

  test("store it once, ask for nothing, and get ids by their places", async () => {
    let inserts = { keyed: 0 };
    const { master, store, reads } = await open((under) => {
      inserts = watchInserts(under);
    });
    const call = (first: number, ...jobs: string[]) =>
      master.api.addJobs(jobs.map(good), "shared", from(first));
    const all = await Promise.all([call(0, "a", "b"), call(2, "c"), call(3, "d", "e")]);
    const [firstId = 0, ...rest] = all.flat().map(idOf);
    expect(rest).toEqual([1, 2, 3, 4].map((place) => firstId + place));
    expect(await names(store)).toEqual(["a", "b", "c", "d", "e"]);
    expect(inserts.keyed).toBe(1);
    expect(reads()).toBe(0);
  });

  test("may be made again, on this master and on the next, and in any order", async () => {
    const { master, store } = await open();
    const first = await master.api.addJobs([good("a"), good("b")], "shared", from(0));
    const second = await master.api.addJobs([good("c")], "shared", from(2));
    for (let round = 0; round < 2; round++) {
      expect(await master.api.addJobs([good("c")], "shared", from(2))).toEqual(second);
      expect(await master.api.addJobs([good("a"), good("b")], "shared", from(0))).toEqual(first);
    }
    const next = await startMastership(store, { embedded: true });
    expect(await next.api.addJobs([good("a"), good("b")], "shared", from(0))).toEqual(first);
    expect(await next.api.addJobs([good("c")], "shared", from(2))).toEqual(second);
    const third = await next.api.addJobs([good("d")], "shared", from(3));
    expect(third.map(idOf)).toEqual([idOf(first[0]) + 3]);
    expect(await next.api.addJobs([good("d")], "shared", from(3))).toEqual(third);
    expect(await names(store)).toEqual(["a", "b", "c", "d"]);
    next.end.abort();
  });

  test("get their ids, whichever of them comes first", async () => {
    const { master, store } = await open();
    const late = await master.api.addJobs([good("z")], "shared", from(999));
    const early = await master.api.addJobs([good("a")], "shared", from(0));
    expect(idOf(late[0]) - idOf(early[0])).toBe(999);
    expect(await names(store)).toEqual(["a", "z"]);
  });

  test("wait for each other where they are for the same jobs", async () => {
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { master, store } = await open((under) => {
      watchInserts(under).before = async (jobs) => {
        if (!jobs.includes("slow")) return;
        begun.resolve();
        await gate.promise;
      };
    });
    await master.api.addJobs([good("a")], "shared", from(0));
    const slow = master.api.addJobs([good("slow")], "shared", from(1));
    const again = master.api.addJobs([good("slow")], "shared", from(1));
    await begun.promise;
    // Not held up by them.
    await master.api.addJobs([good("b")], "shared", from(2));
    gate.resolve();
    expect(await again).toEqual(await slow);
    expect(await names(store)).toEqual(["a", "slow", "b"]);
  });

  test("wait for the first of them until it has stored the key, and no longer", async () => {
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { master, store } = await open((under) => {
      watchInserts(under).before = async (jobs) => {
        if (!jobs.includes("last")) return;
        begun.resolve();
        await gate.promise;
      };
    });
    const large = [...Array.from({ length: 299 }, (_, index) => good(`job ${index}`)), good("last")];
    const adding = master.api.addJobs(large, "shared", from(0));
    await begun.promise;
    const [b] = await master.api.addJobs([good("b")], "shared", from(300));
    const again = master.api.addJobs(large, "shared", from(0));
    gate.resolve();
    expect((await adding).map(idOf)).toEqual(large.map((_, place) => idOf(b) - 300 + place));
    expect(await again).toEqual(await adding);
    expect(await store.countJobs({}, 10_000)).toBe(301);
  });

  test("are added by their repetition where they failed", async () => {
    const failing = new Set(["b", "x"]);
    const { master, store } = await open((under) => {
      watchInserts(under).before = async (jobs) => {
        if (!jobs.some((name) => failing.delete(name))) return;
        throw new ElasticJobError("unavailable", "no answer");
      };
    });
    const call = (first: number, ...jobs: string[]) =>
      master.api.addJobs(jobs.map(good), "shared", from(first));
    // The statement that carries the key, and one after it.
    expect((await call(0, "x"))[0]).toBeInstanceOf(ElasticJobError);
    const [a] = await call(0, "x");
    expect((await call(1, "b", "c")).every((outcome) => outcome instanceof ElasticJobError)).toBe(true);
    expect((await call(1, "b", "c")).map(idOf)).toEqual([idOf(a) + 1, idOf(a) + 2]);
    expect(await names(store)).toEqual(["x", "b", "c"]);
  });

  test("of which the first is refused leave the key to the others", async () => {
    const { master, store } = await open();
    expect(await master.api.addJobs([refused("a")], "shared", from(0))).toEqual([refusal]);
    const [b] = await master.api.addJobs([good("b")], "shared", from(1));
    const [a] = await master.api.addJobs([good("a")], "shared", from(0));
    expect(idOf(b) - idOf(a)).toBe(1);
    expect(await names(store)).toEqual(["a", "b"]);
  });

  test("are nothing to those under the key alone, or for another number of jobs", async () => {
    const { master, store } = await open();
    const outcomes = await Promise.all([
      master.api.addJobs([good("part")], "one name", from(0)),
      master.api.addJobs([good("whole")], "one name"),
      master.api.addJobs([good("other")], "one name", from(0, 50)),
    ]);
    expect(new Set(outcomes.flat().map(idOf)).size).toBe(3);
    expect((await names(store)).toSorted()).toEqual(["other", "part", "whole"]);
  });

  test("of which nothing is stored use up one block of ids", async () => {
    let blocks = 0;
    const { master } = await open((under) => {
      const { reserveIds } = under;
      under.reserveIds = (...asked) => {
        blocks++;
        return reserveIds.apply(under, asked);
      };
    });
    await master.api.addJobs([itemOf(specOf({ handler: "work", idempotencyKey: "own" }))], null);
    for (let first = 0; first < 20; first++) {
      const known = itemOf(specOf({ handler: "work", idempotencyKey: "own" }));
      const [outcome] = await master.api.addJobs([known], "shared", from(first, 10_000));
      expect(outcome).toMatchObject({ created: false });
    }
    const [a] = await master.api.addJobs([good("a")], "shared", from(20, 10_000));
    expect(await master.api.addJobs([good("a")], "shared", from(20, 10_000))).toEqual([a]);
    expect(blocks).toBe(2);
  });

  test("are answered from their rows when an earlier try turns out to have been carried out", async () => {
    let hung: (() => Promise<void>) | null = null;
    const { master, store } = await open((under) => {
      const { insertJobs } = under;
      let tries = 0;
      under.insertJobs = async (...asked) => {
        const insert = () => insertJobs.apply(under, asked);
        if (asked[1][0]?.spec.name !== "x") return insert();
        if (++tries === 1) {
          hung = insert;
          throw new ElasticJobError("unavailable", "no answer");
        }
        await hung?.();
        return insert();
      };
    });
    const [a] = await master.api.addJobs([good("a")], "shared", from(0));
    expect((await master.api.addJobs([good("x")], "shared", from(1)))[0]).toBeInstanceOf(ElasticJobError);
    expect((await master.api.addJobs([good("x")], "shared", from(1))).map(idOf)).toEqual([idOf(a) + 1]);
    expect(await names(store)).toEqual(["a", "x"]);
  });

  test("wait for what is under way also when their key is no longer remembered", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let inserts = 0;
    const { master, store } = await open((under) => {
      watchInserts(under).before = async (jobs) => {
        if (!jobs.includes("slow") || ++inserts > 1) return;
        begun.resolve();
        await gate.promise;
      };
    });
    await master.api.addJobs([good("a")], "shared", from(0));
    const slow = master.api.addJobs([good("slow")], "shared", from(1));
    await begun.promise;
    vi.advanceTimersByTime(31 * 60_000);
    const again = master.api.addJobs([good("slow")], "shared", from(1));
    const next = master.api.addJobs([good("b")], "shared", from(2));
    // Another key's add, and its repetition, from the first look to the answer: those that did not wait would have come as far.
    for (let tries = 0; tries < 2; tries++) await master.api.addJobs([good("last")], "another", from(0));
    expect(inserts).toBe(1);
    gate.resolve();
    expect(await again).toEqual(await slow);
    // The second is what the key refused.
    expect(inserts).toBe(2);
    expect((await next).map(idOf)).toEqual((await slow).map((outcome) => idOf(outcome) + 1));
    expect(await names(store)).toEqual(["a", "slow", "b", "last"]);
  });

  test("are remembered for as long as it takes, and found in the store after that", async () => {
    const { master, store, reads } = await open();
    const first = await master.api.addJobs([good("a")], "the first", from(0, 2));
    for (let key = 0; key < 1_000; key++) await master.api.addJobs([good("x")], `key ${key}`, from(0, 2));
    expect(reads()).toBe(0);
    const second = await master.api.addJobs([good("b")], "the first", from(1, 2));
    // The key, and whether the job that is not there was, and was deleted.
    expect(reads()).toBe(2);
    expect(idOf(second[0])).toBe(idOf(first[0]) + 1);
    expect(await master.api.addJobs([good("a")], "the first", from(0, 2))).toEqual(first);
    expect(await store.countJobs({}, 10_000)).toBe(1_002);
  });
});
