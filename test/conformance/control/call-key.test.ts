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
