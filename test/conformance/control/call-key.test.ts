import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ElasticJobError, invalidArgument } from "../../../src/core/errors.ts";
import type { AddedJob } from "../../../src/master/job-api.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { openSqliteStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { specOf } from "../../unit/core/job-fixture.ts";
import { startMaster, type TestMaster } from "./test-master.ts";

const good = (name: string) => specOf({ handler: "work", name });
const refused = invalidArgument([{ field: "timed.runAt", message: "is refused" }]);

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
  const first = await master.api.addJobs([refused, good("b"), good("c")], "a call");
  expect(first[0]).toBe(refused);
  expect(idOf(first[2])).toBe(idOf(first[1]) + 1);

  const again = await master.api.addJobs([good("a"), refused, good("c")], "a call");
  expect(again.slice(1)).toEqual(first.slice(1));
  expect(idOf(again[0])).toBe(idOf(first[1]) - 1);

  const last = await master.api.addJobs([refused, refused, refused], "a call");
  expect(last.map(idOf)).toEqual(again.map(idOf));
  expect((await store.listJobs({}, { before: null, limit: 10 })).items.map(({ spec }) => spec.name)).toEqual([
    "c",
    "b",
    "a",
  ]);
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

test("a call that is made for the first time asks the database for no key", async () => {
  const { master, reads } = await open();
  await master.api.addJobs([good("a"), good("b")], "a call");
  await master.api.addJobs([good("a"), good("b")], "another");
  expect(reads()).toBe(0);
});

test("many jobs with keys of their own are asked for together, and added once", async () => {
  const { master, reads } = await open();
  const call = Array.from({ length: 1500 }, (_, index) =>
    specOf({ handler: "work", idempotencyKey: `key ${index}` }),
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
  const call = [specOf({ handler: "work", idempotencyKey: "own" }), good("b"), good("c")];
  const first = await master.api.addJobs(call, "a call");
  const again = await master.api.addJobs(call, "a call");
  expect(again).toEqual(first);
});
