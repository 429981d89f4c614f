import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isError } from "../../../../src/core/errors.ts";
import { type JobRecord, type JobSpec, OUTCOME } from "../../../../src/core/job.ts";
import { openSqliteStore } from "../../../../src/store/open.ts";
import { systemClock } from "../../../../src/system-clock.ts";
import { itemOf } from "../../../fixtures/add-items.ts";
import { recordOf, specOf } from "../../../fixtures/job-fixture.ts";
import { startMaster, startMastership, type TestMaster, TestNode } from "../../../fixtures/test-master.ts";
import { until } from "../../../fixtures/until.ts";

let folder: string;
let master: TestMaster;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastic-job-nodes-"));
  const store = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  master = await startMaster(store, { embedded: true });
});
afterEach(async () => {
  await master.close();
  await rm(folder, { recursive: true, force: true });
});

async function add(fields: Partial<JobSpec>): Promise<number> {
  const [added] = await master.api.addJobs([itemOf(specOf({ handler: "work", ...fields }))], null);
  if (added === undefined || added instanceof Error) throw added ?? new Error("not added");
  return added.jobId;
}

async function read(id: number): Promise<JobRecord> {
  const record = (await master.store.readJobs([id])).get(id);
  if (record === undefined) throw new Error(`job ${id} is gone`);
  return record;
}

const inAnHour = () => ({ kind: "timed", runAt: Date.now() + 3_600_000 }) as const;

test("an update to a handler that no connected node offers is refused, and changes nothing", async () => {
  const id = await add({ schedule: inAnHour() });
  const before = await read(id);
  const update = master.api.updateJob(id, null, (spec) => ({ ...spec, handler: "unknown" }));
  await expect(update).rejects.toSatisfy((error) => isError(error, "failed_precondition"));
  await expect(update).rejects.toThrow('handler: no connected node offers "unknown" (offered: work)');
  expect(await read(id)).toEqual(before);
});

test("jobs for a handler whose only worker is away are accepted, and say what they wait for", async () => {
  const { store } = master;
  await until("the handler is noted", async () => (await store.readHandlers()).length > 0);
  const restarted = new TestNode(master.api, store, ["other"]);
  const addOne = async (fields: Partial<JobSpec>) =>
    (await master.api.addJobs([itemOf(specOf({ handler: "work", ...fields }))], null))[0];
  const reason = expect.stringMatching(
    /^no connected node offers the handler "work"; it was last offered at 20\d\d-.*Z$/,
  );
  const added = await addOne({});
  expect(added).toMatchObject({ created: true, reason });
  expect(await addOne({ schedule: inAnHour() })).toMatchObject({ created: true, reason });
  const jobId = added !== undefined && "jobId" in added ? added.jobId : 0;
  expect((await master.api.readJob(jobId)).reason).toEqual(reason);
  expect(await addOne({ handler: "wrok" })).toMatchObject({ code: "failed_precondition" });
  expect(await addOne({ handler: "wrok", allowsUnknownHandler: true })).toMatchObject({
    created: true,
    reason: 'no connected node offers the handler "wrok"',
  });
  expect(await addOne({ handler: "other" })).not.toHaveProperty("reason");
  expect(restarted.assignments.map(({ handler }) => handler)).not.toContain("work");
  const back = new TestNode(master.api, store);
  await back.take(jobId);
});

test("the next master knows which handlers were offered", async () => {
  const { store } = master;
  await until("the handler is noted", async () => (await store.readHandlers()).length > 0);
  const { api, end } = await startMastership(store, { embedded: true });
  const other = new TestNode(api, store, ["other"]);
  const [known, unknown] = await api.addJobs(
    ["work", "unknown"].map((handler) => itemOf(specOf({ handler }))),
    null,
  );
  expect(known).toMatchObject({ created: true, reason: expect.stringContaining("it was last offered at") });
  expect(unknown).toMatchObject({ code: "failed_precondition" });
  expect(other.assignments).toEqual([]);
  end.abort();
});

test("a node's used slots are those of the jobs that it has, also while it drains", async () => {
  const used = () => master.api.readCluster().nodes.map(({ usedSlots }) => usedSlots);
  expect(used()).toEqual([0]);
  const assignment = await master.node.take(await add({}));
  await master.node.take(await add({ requirements: { slots: 1, memoryMb: 0, labels: {} } }));
  expect(used()).toEqual([2]);
  master.api.drainNode("a");
  expect(used()).toEqual([2]);
  await master.node.finish(assignment, OUTCOME.SUCCEEDED);
  await until("one of them has ended", () => used()[0] === 1);
});

test("an update of something else is not refused because its handler has gone since", async () => {
  const id = await add({ schedule: inAnHour() });
  // The same node, started anew with other handlers.
  const restarted = new TestNode(master.api, master.store, ["other"]);
  await until("the node offers another handler", () =>
    master.api.readCluster().nodes.some(({ handlers }) => handlers.includes("other")),
  );
  const renamed = await master.api.updateJob(id, null, (spec) => ({ ...spec, name: "renamed" }));
  expect(renamed.record.spec).toMatchObject({ name: "renamed", handler: "work" });
  const moved = await master.api.updateJob(id, null, (spec) => ({ ...spec, handler: "other" }));
  expect(moved.record.spec.handler).toBe("other");
  expect(restarted.assignments).toEqual([]);
});

test("a claim that is lost keeps the time of the claim as its start", async () => {
  const id = await add({});
  await master.node.take(id);
  const claimed = await read(id);
  await until("time has passed", () => Date.now() > claimed.updateTime + 20);
  // The same node again, which says that it holds nothing.
  const reconnected = new TestNode(master.api, master.store);
  const rows = async () => (await master.store.listResults({ jobId: id }, { before: null, limit: 10 })).items;
  await until("it is lost", async () => (await rows()).length > 0);
  const [row] = await rows();
  expect(row).toMatchObject({ outcome: OUTCOME.LOST, startTime: claimed.updateTime });
  expect(row?.endTime).toBeGreaterThan(claimed.updateTime);
  expect(reconnected.assignments).toEqual([]);
});

test("a node that was drained is given nothing, and says why; undrained, it is given jobs again", async () => {
  const node = () => master.api.readCluster().nodes[0];
  master.node.offerSlot();
  await until("its slot is there", () => node() !== undefined);
  master.api.drainNode("a");
  const id = await add({});
  const reason = async () => (await master.api.readJob(id)).reason;
  await until("it is due", async () => (await reason()) !== "");
  expect(await reason()).toBe("the only node that can take it, a, is draining");
  // What the node sent before it heard of it changes nothing.
  master.node.credit({ draining: false });
  expect(node()?.draining).toBe(true);
  master.node.credit({ draining: true });
  master.api.undrainNode("a");
  expect(master.node.drains).toEqual(["drain", "undrain"]);
  expect(node()?.draining).toBe(true);
  master.node.credit({ draining: false });
  expect(node()?.draining).toBe(false);
  await master.node.take(id);
  expect(() => master.api.undrainNode("b")).toThrow('nodeId: no node "b" is connected (connected: a)');
});

test("jobs that memory leaves out are counted: due ones that no node can take, and those of later", async () => {
  expect(await master.api.readBeyondMemory()).toEqual({ stuck: 0, later: 0 });
  await master.close();
  const stuck = [1, 2, 3].map((n) => recordOf({ id: 1_000_000 + n, classId: 77, at: Date.now() - 1000 }));
  const reopened = openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
  const { epoch, incarnation } = await reopened.readMastership();
  await reopened.advanceEpoch(epoch, { epoch: epoch + 1, incarnation });
  await reopened.addClass(epoch + 1, { id: 77, handler: "gone", labels: {} });
  const later = recordOf({ id: 1_000_004, classId: 77, at: Date.now() + 3_600_000 });
  await reopened.insertJobs(epoch + 1, [...stuck, later], []);
  await reopened.close();
  master = await startMaster(openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock }), {
    embedded: true,
  });
  expect(await master.api.readBeyondMemory()).toEqual({ stuck: 3, later: 1 });
});
