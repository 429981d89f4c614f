import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OUTCOME } from "../../src/core/job.ts";
import { openSqliteStore } from "../../src/store/open.ts";
import { systemClock } from "../../src/system-clock.ts";
import { itemOf } from "../fixtures/add-items.ts";
import { specOf } from "../fixtures/job-fixture.ts";
import { startMaster, startMastership } from "../fixtures/test-master.ts";
import { until } from "../fixtures/until.ts";

test("what a dead master ran is LOST as soon as its process is known to be gone, also after the election", async () => {
  const folder = mkdtempSync(join(tmpdir(), "elastic-job-known-gone-"));
  const path = join(folder, "jobs.db");
  const first = await startMaster(openSqliteStore({ path, clock: systemClock }));
  const [added] = await first.api.addJobs([itemOf(specOf({ handler: "work" }))], null);
  if (added === undefined || added instanceof Error) throw new Error("not added", { cause: added });
  const { claim } = await first.node.take(added.jobId);
  await first.close();

  const store = openSqliteStore({ path, clock: systemClock });
  const knownGone = new Set<string>();
  const { api, end } = await startMastership(store, { knownGone });
  try {
    await until("the running job is found", () => api.readCluster().running === 1);
    knownGone.add("a node");
    const rows = () => store.readFinalRows([{ jobId: added.jobId, claim }]);
    await until("its claim is LOST", async () => (await rows()).size === 1, 2_000);
    expect((await rows()).get(added.jobId)?.outcome).toBe(OUTCOME.LOST);
  } finally {
    end.abort();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
