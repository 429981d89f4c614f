/** What a master says of the claims that it ends itself, on a real store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type JobSpec, OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import { openSqliteStore } from "../../../../src/store/open.ts";
import { systemClock } from "../../../../src/system-clock.ts";
import { itemOf } from "../../../fixtures/add-items.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";
import { startMaster, type TestMaster, TestNode } from "../../../fixtures/test-master.ts";
import { until } from "../../../fixtures/until.ts";

let folder: string;
let logger: ReturnType<typeof recordingLogger>;
let master: TestMaster;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastic-job-ends-"));
  logger = recordingLogger();
});
afterEach(async () => {
  await master.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(maxLost = 10): Promise<void> {
  const store = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  master = await startMaster(store, { embedded: true, logger, maxLost });
}

async function add(fields: Partial<JobSpec> = {}): Promise<number> {
  const spec = specOf({ name: "brew", handler: "work", ...fields });
  const [added] = await master.api.addJobs([itemOf(spec)], null);
  if (added === undefined || added instanceof Error) throw added ?? new Error("not added");
  return added.jobId;
}

/** The same process, which lists no claim any more. */
function sayHelloAgain(): TestNode {
  return new TestNode(master.api, master.store);
}

const ends = () => logger.lines.filter(({ message }) => message.includes("without success"));

test("a claim that its node does not hold any more is LOST in one line, and says when it is tried again", async () => {
  await start();
  const jobId = await add();
  await master.node.take(jobId);
  await sayHelloAgain().take(jobId, 2);
  expect(ends()).toEqual([
    {
      level: "warn",
      message: "an attempt has ended without success; it is tried again",
      fields: {
        jobId,
        name: "brew",
        handler: "work",
        claim: 1,
        attempt: 1,
        node: "a",
        epoch: 1,
        outcome: "LOST",
        error: "its node no longer holds it",
        retryAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT.*Z$/),
      },
    },
  ]);
});

test("one that was lost too often has failed for good", async () => {
  await start(1);
  const jobId = await add();
  await master.node.take(jobId);
  sayHelloAgain();
  await until("it has ended", () => ends().length > 0);
  expect(ends()).toMatchObject([
    { level: "error", fields: { jobId, outcome: "LOST", notTriedAgain: "lost 1 times in a row" } },
  ]);
});

test("a job that a caller cancels is one line, whatever its node makes of the abort", async () => {
  await start();
  const jobId = await add();
  const assignment = await master.node.take(jobId);
  const cancelled = master.api.cancelJob(jobId, null);
  await until("the node is told", () => master.node.aborted.includes(jobId));
  await master.node.finish(assignment, OUTCOME.FAILED);
  await cancelled;
  expect(ends()).toMatchObject([
    { level: "info", fields: { jobId, outcome: "CANCELLED", error: "cancelled by a caller", node: "a" } },
  ]);
});

test("an occurrence that is past its deadline is one line", async () => {
  await start();
  const runAt = systemClock.now() + 10;
  const jobId = await add({ schedule: { kind: "timed", runAt }, deadlineMs: 10 });
  await until("its deadline is over", () => systemClock.now() > runAt + 100);
  master.node.offerSlot();
  await until("it is skipped", () => ends().length > 0);
  expect(ends()).toMatchObject([
    { level: "warn", fields: { jobId, outcome: "SKIPPED", error: "deadline", node: "", attempt: 0 } },
  ]);
});

test("what a node has written is not said again by the master", async () => {
  await start();
  const jobId = await add();
  await master.node.finish(await master.node.take(jobId), OUTCOME.FAILED);
  sayHelloAgain();
  await until(
    "it is over",
    async () => (await master.api.readJob(jobId)).record.status === STORED_STATUS.FAILED,
  );
  expect(ends()).toEqual([]);
});
