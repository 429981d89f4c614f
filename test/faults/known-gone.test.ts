import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ClusterTime } from "../../src/core/cluster-time.ts";
import { OUTCOME } from "../../src/core/job.ts";
import { KEEP_ALL } from "../../src/core/retention.ts";
import { Mastership } from "../../src/master/mastership.ts";
import { openSqliteStore } from "../../src/store/open.ts";
import { systemClock, systemRandom } from "../../src/system-clock.ts";
import { startMaster } from "../conformance/control/test-master.ts";
import { silentLogger } from "../conformance/lock/silent-logger.ts";
import { until } from "../conformance/lock/until.ts";
import { specOf } from "../unit/core/job-fixture.ts";

const LEASE_MS = 60_000;

test("what a dead master ran is LOST as soon as its process is known to be gone, also after the election", async () => {
  const folder = mkdtempSync(join(tmpdir(), "elastic-job-known-gone-"));
  const path = join(folder, "jobs.db");
  const first = await startMaster(openSqliteStore({ path, clock: systemClock }));
  const [added] = await first.api.addJobs([specOf({ handler: "work" })], null);
  if (added === undefined || added instanceof Error) throw new Error("not added", { cause: added });
  const { claim } = await first.node.take(added.jobId);
  await first.close();

  const store = openSqliteStore({ path, clock: systemClock });
  const before = await store.readMastership();
  const epoch = before.epoch + 1;
  await store.advanceEpoch(before.epoch, { epoch, incarnation: "the next master" });
  const end = new AbortController();
  const knownGone = new Set<string>();
  const api = new Mastership(
    {
      epoch,
      store,
      settings: {
        lockTtlMs: 3000,
        leaseMs: LEASE_MS,
        horizonMs: 300_000,
        maxJobsInMemory: 10_000,
        maxLost: 10,
        retention: KEEP_ALL,
        embedded: false,
      },
      clock: systemClock,
      random: systemRandom,
      time: new ClusterTime(systemClock, await store.readClock()),
      logger: silentLogger,
      ended: end.signal,
      epochWrittenAt: systemClock.monotonic(),
      knownGone,
      trusted: () => true,
      deposed: () => end.abort(),
    },
    { openStream: () => ({ send: () => {}, close: () => {} }), identify: async () => "silent" },
  );
  try {
    await api.start();
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
