/** A change and its record: which comes first, and what is left when one of them fails. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditRecord } from "../../../../src/core/audit/audit-record.ts";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { Changes } from "../../../../src/master/audit/changes.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const CALLER = { name: "on-call", address: "10.0.0.9", forwardedFor: "" };
const CHANGE = { caller: CALLER, method: "PauseJob", jobId: 7, nodeId: "", detail: "" };
const NOTHING = () => ({});

let opened: Awaited<ReturnType<typeof openTestStore>>;
let store: JobStore;
let logger: ReturnType<typeof recordingLogger>;

beforeEach(async () => {
  opened = await openTestStore();
  ({ store } = opened);
  logger = recordingLogger();
});
afterEach(() => opened.close());

const changes = (withStore: JobStore = store) => new Changes(masterContext({ store: withStore, logger }));

async function records(): Promise<readonly AuditRecord[]> {
  return (await store.listAudit({}, { before: null, limit: 100 })).items;
}

test("the record is there before the change is made, and says afterwards what came of it", async () => {
  let before: readonly AuditRecord[] = [];
  const make = async () => {
    before = await records();
    return 9;
  };
  const answer = await changes().make(CHANGE, make, (id) => ({ detail: "echo", addedJobId: id }));
  expect(answer).toBe(9);
  expect(before).toMatchObject([{ ...CHANGE, outcome: "", count: 1 }]);
  expect(await records()).toMatchObject([
    { ...CHANGE, outcome: "ok", detail: "echo", firstJobId: 9, lastJobId: 9 },
  ]);
  expect(logger.lines).toMatchObject([
    { level: "info", fields: { caller: "on-call", method: "PauseJob", jobId: 7, outcome: "ok" } },
  ]);
});

test("a master that ends in between leaves the record of what it had begun", async () => {
  void changes().make(CHANGE, () => new Promise<never>(() => {}), NOTHING);
  await expect.poll(records).toMatchObject([{ ...CHANGE, outcome: "" }]);
});

test.each([
  [new ElasticJobError("not_found", "jobId: there is no job 7"), "not_found"],
  [new ElasticJobError("stale_epoch", "epoch 1 is over"), "unavailable"],
  [new TypeError("a bug"), "internal"],
])("what fails with %s is told as such", async (error, outcome) => {
  const make = () => {
    throw error;
  };
  const made = changes().make(CHANGE, make, NOTHING);
  await expect(made).rejects.toBe(error);
  expect(await records()).toMatchObject([{ ...CHANGE, outcome }]);
});

test("what cannot be noted is not done", async () => {
  await store.advanceEpoch(1, { epoch: 2, incarnation: "another" });
  let isMade = false;
  const make = () => {
    isMade = true;
  };
  await expect(changes().make(CHANGE, make, NOTHING)).rejects.toMatchObject({ code: "stale_epoch" });
  expect([isMade, await records()]).toEqual([false, []]);
});

test("what was done is answered, though it cannot be told how it went, and the log has it", async () => {
  const failing = { ...store, endAudit: () => Promise.reject(new ElasticJobError("unavailable", "gone")) };
  expect(await changes(failing).make(CHANGE, () => "done", NOTHING)).toBe("done");
  expect(await records()).toMatchObject([{ outcome: "" }]);
  expect(logger.lines).toMatchObject([
    { level: "info" },
    { level: "warn", fields: { caller: "on-call", method: "PauseJob", jobId: 7, outcome: "ok" } },
  ]);
});
