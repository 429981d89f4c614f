/** What callers add: one row a second for each, stored whatever becomes of the mastership, and bounded. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditRecord } from "../../../../src/core/audit/audit-record.ts";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { AddedJobs } from "../../../../src/master/audit/added-jobs.ts";
import type { AddItem, AddOutcome } from "../../../../src/master/job-api.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const caller = (name: string) => ({ name, address: "10.0.0.9", forwardedFor: "" });
const added = (jobId: number, created = true): AddOutcome => ({ jobId, created, nextRunAt: 0 });
const REFUSED = new ElasticJobError("failed_precondition", "handler: nobody offers it");

function items(...handlers: readonly string[]): AddItem[] {
  return handlers.map((handler) => ({ spec: specOf({ handler }), asked: {} as AddItem["asked"] }));
}

let opened: Awaited<ReturnType<typeof openTestStore>>;
let store: JobStore;
let clock: ManualClock;
let end: AbortController;
let logger: ReturnType<typeof recordingLogger>;
let writes: number;
let failure: Error | null;
let jobs: AddedJobs;

beforeEach(async () => {
  opened = await openTestStore();
  clock = new ManualClock();
  end = new AbortController();
  logger = recordingLogger();
  writes = 0;
  failure = null;
  store = {
    ...opened.store,
    async writeAudit(...written) {
      writes++;
      if (failure !== null) throw failure;
      await opened.store.writeAudit(...written);
    },
  };
  jobs = new AddedJobs(masterContext({ store, clock, logger, ended: end.signal }));
});
afterEach(() => opened.close());

async function records(): Promise<readonly AuditRecord[]> {
  return (await store.listAudit({}, { before: null, limit: 1_000 })).items;
}

test("a hundred thousand calls within a second are one statement, with a row for each caller", async () => {
  for (let call = 1; call <= 100_000; call++) {
    jobs.note(caller(call % 2 === 0 ? "even" : "odd"), items("echo"), [added(call)]);
  }
  expect(writes).toBe(0);
  clock.move(1_000);
  await expect.poll(records).toHaveLength(2);
  expect(writes).toBe(1);
  expect(await records()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ caller: caller("odd"), count: 50_000, firstJobId: 1, lastJobId: 99_999 }),
      expect.objectContaining({ caller: caller("even"), count: 50_000, firstJobId: 2, lastJobId: 100_000 }),
    ]),
  );
  // Nobody adds: nothing is written.
  clock.move(60_000);
  await jobs.flush();
  expect(writes).toBe(1);
});

test("counts what a call has added, not what it was refused or had added before", async () => {
  const outcomes = [added(5), REFUSED, added(3, false), added(9)];
  jobs.note(caller("a"), items("echo", "gone", "echo", "http"), outcomes);
  jobs.note(caller("b"), items("echo"), [added(4, false)]);
  await jobs.flush();
  expect(await records()).toMatchObject([
    { caller: caller("a"), method: "AddJobs", count: 2, firstJobId: 5, lastJobId: 9, detail: "echo, http" },
  ]);
});

test("a deposed master stores what was added under it, and what is answered after that at once", async () => {
  jobs.note(caller("before"), items("echo"), [added(1)]);
  end.abort();
  await store.advanceEpoch(1, { epoch: 2, incarnation: "another" });
  await jobs.flush();
  jobs.note(caller("after"), items("echo"), [added(2)]);
  await expect
    .poll(async () => (await records()).map((one) => one.caller.name).sort())
    .toEqual(["after", "before"]);
});

test("what the database does not take is tried again, up to a bound, and the rest is in the log", async () => {
  failure = new ElasticJobError("unavailable", "MySQL has not answered");
  for (let second = 0; second < 12; second++) {
    for (let who = 0; who < 100; who++)
      jobs.note(caller(`caller-${who}`), items("echo"), [added(second * 100 + who)]);
    clock.move(1_000);
    await jobs.flush();
  }
  const [told, ...dropped] = logger.lines.filter(({ level }) => level === "warn");
  expect(told).toMatchObject({ message: "could not store who has added what; trying again" });
  expect(dropped).toHaveLength(200);
  expect(dropped[0]).toMatchObject({ fields: { caller: caller("caller-0"), count: 1, firstJobId: 0 } });
  failure = null;
  clock.move(1_000);
  await expect.poll(records).toHaveLength(1_000);
});

test("what cannot be stored at the end is in the log", async () => {
  jobs.note(caller("a"), items("echo"), [added(1)]);
  failure = new ElasticJobError("unavailable", "closed");
  end.abort();
  await jobs.flush();
  expect(logger.lines).toMatchObject([
    { level: "warn", fields: { caller: caller("a"), count: 1, firstJobId: 1 } },
  ]);
});
