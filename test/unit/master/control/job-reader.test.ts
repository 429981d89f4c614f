import { afterEach, beforeEach, expect, test } from "vitest";
import { type JobRecord, type JobSpec, OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import type { Progress } from "../../../../src/core/log/progress.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { JobReader } from "../../../../src/master/control/job-reader.ts";
import type { JobView } from "../../../../src/master/job-api.ts";
import { ChangedJobs } from "../../../../src/master/memory/changed-jobs.ts";
import { ClaimHolders } from "../../../../src/master/memory/claim-holders.ts";
import { ClassRegistry } from "../../../../src/master/memory/class-registry.ts";
import { JobProgress } from "../../../../src/master/memory/job-progress.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { KnownHandlers } from "../../../../src/master/nodes/known-handlers.ts";
import { NOW, recordOf, resultOf, specOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";
import { until } from "../../../fixtures/until.ts";

const NODE = 1;

let opened: Awaited<ReturnType<typeof openTestStore>>;
let clock: ManualClock;
let end: AbortController;
let nodes: ConnectedNodes;
let classes: ClassRegistry;
let changedJobs: ChangedJobs;
let reader: JobReader;
let known: KnownHandlers;
let holders: ClaimHolders;
let tell: (jobId: number, progress: Progress) => void;
beforeEach(async () => {
  opened = await openTestStore();
  clock = new ManualClock();
  end = new AbortController();
  nodes = new ConnectedNodes();
  changedJobs = new ChangedJobs();
  const context = masterContext({ store: opened.store, clock, ended: end.signal });
  classes = new ClassRegistry(context, (jobClass) => nodes.classAdded(jobClass));
  holders = new ClaimHolders(new Queues());
  const progress = new JobProgress({ holders, changedJobs });
  tell = (jobId, told) => progress.take(NODE, [{ jobId, claim: 1, ...told }]);
  known = new KnownHandlers(context, nodes);
  reader = new JobReader(context, { nodes, known, changedJobs, progress });
});
afterEach(() => opened.close());

async function add(fields: Partial<JobRecord> = {}, spec: Partial<JobSpec> = {}): Promise<JobRecord> {
  const full = specOf({ handler: "work", ...spec });
  const { id: classId } = await classes.findOrAdd(full);
  const record = recordOf({ classId, spec: full, ...fields });
  await opened.store.insertJobs(1, [record], []);
  return record;
}

const needing = (slots: number, memoryMb = 0, labels: Record<string, string> = {}) => ({
  requirements: { slots, memoryMb, labels },
});

test("a job that is not there is not found", async () => {
  await expect(reader.readJob(7)).rejects.toThrow("7");
});

test("a job whose handler nobody offers says so, and since when, also before it is due", async () => {
  const later = await add({ id: 1, at: NOW + 60_000, scheduledAt: NOW + 60_000 });
  const due = await add({ id: 2 });
  const reasonsOf = async () => [(await reader.view(later)).reason, (await reader.view(due)).reason];
  expect(await reasonsOf()).toEqual(["", "no node is connected"]);
  nodes.add(sessionOf({ incarnation: "1", handlers: ["other"] }).session, classes.all());
  const none = 'no connected node offers the handler "work"';
  expect(await reasonsOf()).toEqual([none, none]);

  const worker = sessionOf({ incarnation: "2", handlers: ["work"] }).session;
  nodes.add(worker, classes.all());
  known.offered(worker);
  expect(await reasonsOf()).toEqual(["", ""]);
  nodes.remove(worker);
  known.left(worker);
  const gone = `${none}; it was last offered at ${new Date(NOW).toISOString()}`;
  expect(await reasonsOf()).toEqual([gone, gone]);
});

test("a job that is due says why no node has taken it", async () => {
  const reasonOf = async (record: JobRecord) => (await reader.view(record)).reason;
  const plain = await add({ id: 1 });
  expect(await reasonOf(plain)).toBe("no node is connected");

  const other = sessionOf({ incarnation: "1", handlers: ["other"] }).session;
  nodes.add(other, classes.all());
  expect(await reasonOf(plain)).toBe('no connected node offers the handler "work"');

  const able = sessionOf({ incarnation: "2", handlers: ["work"] }).session;
  nodes.add(able, classes.all());
  expect(await reasonOf(plain)).toBe("");
  expect(await reasonOf(await add({ id: 2 }, needing(1, 0, { gpu: "true" })))).toBe(
    'no connected node that offers "work" carries the required labels',
  );
  expect(await reasonOf(await add({ id: 3 }, needing(5)))).toBe("no connected node has 5 slots");
  expect(await reasonOf(await add({ id: 4 }, needing(1, 1_001)))).toBe(
    "no connected node has 1001 MiB of memory",
  );

  able.reserve(able.slots);
  expect(await reasonOf(plain)).toBe("all nodes that can take it are full");
});

test("the last result is the newest that counts, whatever came late beside it", async () => {
  const record = await add({ status: STORED_STATUS.RUNNING, claim: 2, attempt: 2, node: 1 });
  await opened.store.writeResults([resultOf({ claim: 1, outcome: OUTCOME.FAILED, retryAt: NOW })]);
  await opened.store.writeResults([resultOf({ claim: 2, outcome: OUTCOME.LOST, retryAt: NOW })]);
  await opened.store.writeResults([resultOf({ claim: 2, outcome: OUTCOME.SUCCEEDED })]);
  expect((await reader.view(record)).lastResult).toMatchObject({ claim: 2, outcome: OUTCOME.LOST });
});

test("a job that is watched is shown when it changes, not when it stays as it was, until it ends", async () => {
  const { id } = await add({ status: STORED_STATUS.RUNNING, claim: 1, attempt: 1, node: 1 });
  const shown: number[] = [];
  const watching = (async () => {
    for await (const { record } of reader.watchJob(id, new AbortController().signal))
      shown.push(record.status);
  })();
  await until("it is shown", () => shown.length === 1 && clock.isAwaited);
  changedJobs.changed(id);
  // Read anew without a word, too, as another master's write is heard of by nobody.
  await until("it is looked at again", () => clock.isAwaited);
  const ended = {
    status: STORED_STATUS.SUCCEEDED,
    at: NOW,
    scheduledAt: NOW,
    attempt: 1,
    failures: 0,
    lost: 0,
  };
  await opened.store.projectJobs([
    { jobId: id, claim: 1, revision: 0, updateTime: NOW, endedAt: NOW, ...ended },
  ]);
  clock.move(5_000);
  await watching;
  expect(shown).toEqual([STORED_STATUS.RUNNING, STORED_STATUS.SUCCEEDED]);
});

test("a watch ends with its job, and says so when the mastership ends under it", async () => {
  const { id, revision } = await add();
  const views = reader.watchJob(id, new AbortController().signal)[Symbol.asyncIterator]();
  expect((await views.next()).value).toMatchObject({ prepared: true });
  await opened.store.deleteJob(1, id, { claim: 0, revision, status: STORED_STATUS.WAITING });
  changedJobs.changed(id);
  expect(await views.next()).toMatchObject({ done: true });

  const { id: other } = await add({ id: 2 });
  const more = reader.watchJob(other, new AbortController().signal)[Symbol.asyncIterator]();
  await more.next();
  end.abort();
  await expect(more.next()).rejects.toThrow("no longer master");
});

test("after a cancel the answer waits for the handler's end, and for no longer than a node gives it", async () => {
  const record = await add({ status: STORED_STATUS.RUNNING, claim: 1, attempt: 1, node: 1 });
  let view: JobView | null = null;
  const viewing = reader.viewCancelled(record).then((seen) => (view = seen));
  await until("it waits", () => clock.isAwaited);
  clock.move(999);
  expect(view).toBeNull();
  clock.move(1);
  expect((await viewing).record.status).toBe(STORED_STATUS.RUNNING);
  // What does not run is answered at once.
  const waiting = await add({ id: 2 });
  expect((await reader.viewCancelled(waiting)).record.id).toBe(2);
});

test("how far a job is, is shown while it runs under that claim, and wakes who watches it", async () => {
  const running = { status: STORED_STATUS.RUNNING, claim: 1, node: NODE };
  const { id } = await add(running);
  const half = { fraction: 0.5, text: "half", at: NOW };
  tell(id, half);
  expect(await reader.readJob(id)).not.toHaveProperty("progress");
  holders.give(NODE, id, 1);
  const seen: (number | undefined)[] = [];
  const watching = (async () => {
    for await (const { progress } of reader.watchJob(id, end.signal)) seen.push(progress?.fraction);
  })();
  await until("the job is watched", () => seen.length === 1);
  tell(id, half);
  await until("its progress is seen", () => seen.length === 2);
  expect(seen).toEqual([undefined, 0.5]);
  expect(await reader.readJob(id)).toMatchObject({ progress: half });
  holders.drop(NODE, id, 1);
  expect(await reader.readJob(id)).not.toHaveProperty("progress");
  end.abort();
  await watching.catch(() => {});
});
