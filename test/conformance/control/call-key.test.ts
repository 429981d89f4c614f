import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ElasticJobError, invalidArgument } from "../../../src/core/errors.ts";
import type { AddedJob } from "../../../src/master/job-api.ts";
import { openSqliteStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { specOf } from "../../unit/core/job-fixture.ts";
import { startMaster } from "./test-master.ts";

const good = (name: string) => specOf({ handler: "work", name });
const refused = invalidArgument([{ field: "timed.runAt", message: "is refused" }]);

function idOf(outcome: AddedJob | ElasticJobError | undefined): number {
  if (outcome === undefined || outcome instanceof ElasticJobError) throw outcome ?? new Error("no outcome");
  return outcome.jobId;
}

test("a call that is made again finds its jobs by their places, whatever is refused by then", async () => {
  const folder = await mkdtemp(join(tmpdir(), "elastic-job-call-"));
  const store = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  const master = await startMaster(store, { embedded: true });
  onTestFinished(async () => {
    await master.close();
    await rm(folder, { recursive: true, force: true });
  });
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
  const folder = await mkdtemp(join(tmpdir(), "elastic-job-call-"));
  const store = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  const { insertJobs } = store;
  let failing = 1;
  // The statement that carries the key is lost; on the next try, one of the others.
  store.insertJobs = async (epoch, jobs, keys) => {
    if (failing-- === 1) throw new ElasticJobError("unavailable", "no answer");
    return insertJobs.call(store, epoch, jobs, keys);
  };
  const master = await startMaster(store, { embedded: true });
  onTestFinished(async () => {
    await master.close();
    await rm(folder, { recursive: true, force: true });
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
