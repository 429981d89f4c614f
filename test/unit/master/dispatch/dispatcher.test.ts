import { expect, test, vi } from "vitest";
import { type Assignment, assignmentsOf } from "../../../../src/coordination/assignment.ts";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { type JobRecord, type JobSpec, STORED_STATUS } from "../../../../src/core/job.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import type { Children } from "../../../../src/master/adding/children.ts";
import { Dispatcher } from "../../../../src/master/dispatch/dispatcher.ts";
import type { Endings } from "../../../../src/master/ending/endings.ts";
import { ChangedJobs } from "../../../../src/master/memory/changed-jobs.ts";
import { ClaimHolders } from "../../../../src/master/memory/claim-holders.ts";
import { InFlight } from "../../../../src/master/memory/in-flight.ts";
import { JobMemory } from "../../../../src/master/memory/job-memory.ts";
import { Pages } from "../../../../src/master/memory/pages.ts";
import { Turn } from "../../../../src/master/memory/turn.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import type { ClaimRef, ClaimWrite, JobStore } from "../../../../src/store/job-store.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { EVERY_MINUTE, NOW, recordOf, specOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

const JOB_CLASS = { id: 1, handler: "echo", labels: {} };
const HOUR_MS = 3_600_000;

const jobs = (count: number, fields: (id: number) => Partial<JobRecord> = () => ({})) =>
  Array.from({ length: count }, (_, index) => recordOf({ id: index + 1, ...fields(index + 1) }));

const requires = (slots: number): JobSpec => specOf({ requirements: { slots, memoryMb: 0, labels: {} } });

/** Prepared jobs, nodes of so many slots, and a store that keeps `rows`; `commit` is what becomes of a claim write. */
function start(prepared: readonly JobRecord[], { nodes = [100], payloadLoaded = true } = {}) {
  const clock = new ManualClock();
  const rows = new Map(prepared.map((record) => [record.id, record]));
  const claimed: { node: number; writes: readonly ClaimWrite[] }[] = [];
  const read: (readonly number[])[] = [];
  const state = { isTrusted: true, deposed: 0, commit: async () => {} };
  const store = {
    claimJobs: async (_: number, node: number, writes: readonly ClaimWrite[], now: number) => {
      claimed.push({ node, writes });
      await state.commit();
      let count = 0;
      for (const { jobId, claim, revision } of writes) {
        const row = rows.get(jobId);
        const isFree = row?.status === STORED_STATUS.WAITING && row.revision === revision;
        if (row === undefined || !isFree || row.claim !== claim - 1) continue;
        const running = { status: STORED_STATUS.RUNNING, claim, attempt: row.attempt + 1, node };
        rows.set(jobId, { ...row, ...running, updateTime: now });
        count++;
      }
      return count;
    },
    readJobs: async (ids: readonly number[]) => {
      read.push(ids);
      return new Map(
        ids.flatMap((id) => (rows.has(id) ? [[id, rows.get(id)]] : []) as [number, JobRecord][]),
      );
    },
  } as unknown as JobStore;
  const end = new AbortController();
  const context = masterContext({
    clock,
    store,
    ended: end.signal,
    trusted: () => state.isTrusted,
    deposed: () => void state.deposed++,
  });
  const lost: { claims: readonly ClaimRef[]; reason: string }[] = [];
  const children: [string, number, unknown][] = [];
  const queues = new Queues();
  const turn = new Turn(clock);
  const holders = new ClaimHolders(queues);
  const found: number[] = [];
  holders.onUnknown(({ id }) => void found.push(id));
  const pages = new Pages(context, { queues, holders, turn });
  pages.addEmptyClass(JOB_CLASS.id);
  const kick = vi.spyOn(pages, "kick");
  const memory = new JobMemory({ queues, pages, changedJobs: new ChangedJobs(), turn });
  const inFlight = new InFlight();
  const connected = new ConnectedNodes();
  const sessions = nodes.map((slots, index) => {
    const name = String.fromCharCode("a".charCodeAt(0) + index);
    const node = sessionOf({ nodeId: name, incarnation: name, slots, handlers: ["echo"] });
    connected.add(node.session, [JOB_CLASS]);
    return node;
  });
  const dispatcher = new Dispatcher(context, {
    memory,
    inFlight,
    holders,
    nodes: connected,
    endings: {
      lose: (claims: readonly ClaimRef[], reason: string) => lost.push({ claims, reason }),
    } as unknown as Endings,
    children: {
      spawn: async ({ id }: JobRecord, next: unknown) => void children.push(["spawn", id, next]),
      skip: async ({ id }: JobRecord, { reason }: { reason: string }) =>
        void children.push(["skip", id, reason]),
    } as unknown as Children,
    pages,
    turn,
  });
  turn.onTurn(() => {
    queues.prepareDue(NOW, 10_000);
    dispatcher.tick();
  });
  for (const record of prepared) queues.wait(record, payloadLoaded);
  queues.prepareDue(NOW + HOUR_MS, 10_000);
  const sentTo = (index: number): Assignment[] =>
    (sessions[index]?.sent ?? []).flatMap(({ message }) =>
      message.case === "assign" ? assignmentsOf(message.value) : [],
    );
  return {
    ...{ clock, rows, claimed, read, state, end, lost, children, queues, memory, holders, found, inFlight },
    ...{ dispatcher, session: sessions[0]?.session, sentTo },
    sent: () => sentTo(0).map(({ jobId }) => jobId),
    kicks: () => kick.mock.calls.length,
    claimedIds: () => claimed.map(({ writes }) => writes.map(({ jobId }) => jobId)),
    places: () => prepared.map(({ id }) => queues.get(id)?.place),
  };
}

test("a job is claimed for the node, and only then sent, with the claim that was written (G2)", async () => {
  const commit = Promise.withResolvers<void>();
  const { dispatcher, state, claimed, sentTo, places, holders, lost, read, session, inFlight } = start(
    jobs(1, () => ({ claim: 6, attempt: 2, revision: 3 })),
  );
  state.commit = () => commit.promise;
  dispatcher.tick();
  await settled();
  expect(claimed).toEqual([{ node: 1, writes: [{ jobId: 1, claim: 7, revision: 3 }] }]);
  expect([sentTo(0), places(), session?.freeSlots]).toEqual([[], ["busy"], 99]);
  // Nobody else writes about it meanwhile.
  expect(inFlight.has(1)).toBe(true);
  commit.resolve();
  await settled();
  expect(inFlight.has(1)).toBe(false);
  expect(sentTo(0)).toMatchObject([{ jobId: 1, claim: 7, attempt: 3, revision: 3 }]);
  expect([places(), holders.claimsOf(1)]).toEqual([["running"], [{ jobId: 1, claim: 7 }]]);
  // Nothing of it had to be read, and no claim ended.
  expect([lost, read]).toEqual([[], []]);
});

test("five hundred jobs are placed in one go, and two claim writes run at once; the others wait for them", async () => {
  const commit = Promise.withResolvers<void>();
  const { dispatcher, state, claimed, claimedIds, sent, clock, places } = start(jobs(2_000), {
    nodes: [3_000],
  });
  state.commit = () => commit.promise;
  dispatcher.tick();
  dispatcher.tick();
  await settled();
  expect(claimedIds().map((ids) => ids.length)).toEqual([500, 500]);
  commit.resolve();
  for (let turns = 0; turns < 3; turns++) {
    await settled();
    clock.move(0);
  }
  await settled();
  expect(claimed).toHaveLength(4);
  expect(sent()).toHaveLength(2_000);
  expect(new Set(places())).toEqual(new Set(["running"]));
});

test.each<[string, (start: { state: { isTrusted: boolean }; end: AbortController }) => void]>([
  ["without trust (G8)", ({ state }) => void (state.isTrusted = false)],
  ["once the mastership has ended", ({ end }) => end.abort()],
])("%s nothing is claimed", async (_, change) => {
  const started = start(jobs(1));
  change(started);
  started.dispatcher.tick();
  await settled();
  expect([started.claimed, started.places()]).toEqual([[], ["prepared"]]);
});

test("a job that finds no room holds up none that asks for less", async () => {
  const [big, small] = [recordOf({ id: 1, spec: requires(8) }), recordOf({ id: 2, spec: requires(2) })];
  const { dispatcher, sent, places } = start([big, small], { nodes: [4] });
  dispatcher.tick();
  await settled();
  expect([sent(), places()]).toEqual([[2], ["prepared", "running"]]);
});

test("a node that has room for a job is looked at anew for one that asks for more", async () => {
  const [small, big] = [recordOf({ id: 1, spec: requires(1) }), recordOf({ id: 2, spec: requires(40) })];
  // Its share is more than one small job.
  const { dispatcher, sent, places } = start([small, big], { nodes: [40] });
  dispatcher.tick();
  await settled();
  expect([sent(), places()]).toEqual([[1], ["running", "prepared"]]);
});

test("when jobs have been claimed, or could not be, there is room for others, which are read", async () => {
  for (const commit of [
    async () => {},
    () => Promise.reject(new ElasticJobError("unavailable", "no answer")),
  ]) {
    const { dispatcher, state, kicks } = start(jobs(1));
    state.commit = commit;
    dispatcher.tick();
    expect(kicks()).toBe(0);
    await settled();
    expect(kicks()).toBe(1);
  }
});

test("jobs in a row go to one node, up to its share; then the nodes are looked at again", async () => {
  const { dispatcher, sentTo } = start(jobs(20), { nodes: [160, 160] });
  dispatcher.tick();
  await settled();
  expect([0, 1].map((node) => sentTo(node).map(({ jobId }) => jobId))).toEqual([
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
  ]);
});

test("a job about which a write is in flight is placed after it", async () => {
  const write = Promise.withResolvers<void>();
  const { dispatcher, inFlight, claimedIds, clock, places, sent } = start(jobs(2));
  inFlight.mark([1], write.promise);
  dispatcher.tick();
  await settled();
  expect([claimedIds(), places()]).toEqual([[[2]], ["busy", "running"]]);
  write.resolve();
  await settled();
  clock.move(0);
  await settled();
  expect([sent(), places()]).toEqual([
    [2, 1],
    ["running", "running"],
  ]);
});

test("a write that was in flight is waited for also where nothing else happens", async () => {
  const write = Promise.withResolvers<void>();
  const { dispatcher, inFlight, clock, sent } = start(jobs(1));
  inFlight.mark([1], write.promise);
  dispatcher.tick();
  write.resolve();
  await settled();
  clock.move(0);
  await settled();
  expect(sent()).toEqual([1]);
});

test("where the write that was in flight has brought memory in line, that counts", async () => {
  const write = Promise.withResolvers<void>();
  const [record = recordOf()] = jobs(1);
  const { dispatcher, inFlight, claimed, clock, memory, queues } = start([record]);
  inFlight.mark([1], write.promise);
  dispatcher.tick();
  const moved = { ...record, revision: 1, at: NOW + 60_000, scheduledAt: NOW + 60_000 };
  memory.place(moved);
  write.resolve();
  await settled();
  clock.move(0);
  await settled();
  expect(claimed).toEqual([]);
  expect(queues.get(1)).toMatchObject({ place: "waiting", record: moved });
});

test("an occurrence that runs beside its job is spawned, and one that was missed is skipped; neither is claimed", async () => {
  const recurring = (id: number, spec: Partial<JobSpec>, at: number) =>
    recordOf({ id, at, scheduledAt: at, spec: specOf({ schedule: EVERY_MINUTE, ...spec }) });
  const { dispatcher, children, claimedIds, session, inFlight } = start([
    recurring(1, { overlap: "allow" }, NOW),
    recurring(2, { misfire: "skip" }, NOW - HOUR_MS),
    recurring(3, {}, NOW),
  ]);
  dispatcher.tick();
  expect([1, 2].map((id) => inFlight.has(id))).toEqual([true, true]);
  await settled();
  expect(children).toEqual([
    ["skip", 2, "misfire"],
    ["spawn", 1, expect.objectContaining({ scheduledAt: NOW + 60_000 })],
  ]);
  expect([claimedIds(), session?.freeSlots]).toEqual([[[3]], 99]);
});

test("a claim that commits after its node's stream has ended is not sent, and is lost at once", async () => {
  const { dispatcher, state, session, sent, lost, holders } = start(jobs(1));
  state.commit = async () => session?.close();
  dispatcher.tick();
  await settled();
  expect([sent(), holders.claimsOf(1)]).toEqual([[], []]);
  expect(lost).toEqual([{ claims: [{ jobId: 1, claim: 1 }], reason: "its node left before it was sent" }]);
});

test("a claim write that hits fewer rows is read back: what is claimed is sent, the rest goes where its row says", async () => {
  const { dispatcher, rows, sent, lost, places, found, session, read } = start(jobs(4));
  const paused = recordOf({ id: 2, status: STORED_STATUS.PAUSED, revision: 1 });
  const elsewhere = recordOf({ id: 3, status: STORED_STATUS.RUNNING, claim: 1, node: 9 });
  rows.set(2, paused).set(3, elsewhere).delete(4);
  dispatcher.tick();
  await settled();
  expect(sent()).toEqual([1]);
  expect([places(), found, lost]).toEqual([["running", undefined, "busy", undefined], [3], []]);
  // Their slots are free again.
  expect([session?.freeSlots, read]).toEqual([99, [[1, 2, 3, 4]]]);
});

test.each<[string, Partial<JobRecord>]>([
  ["of another node", { status: STORED_STATUS.RUNNING, claim: 1, node: 9 }],
  ["of another number", { status: STORED_STATUS.RUNNING, claim: 2, node: 1 }],
  ["that has ended already", { status: STORED_STATUS.WAITING, claim: 1, node: 1, at: NOW + HOUR_MS }],
])("a claim %s is not taken for the one that was written", async (_, row) => {
  const { dispatcher, rows, sent, session } = start(jobs(1));
  rows.set(1, recordOf(row));
  dispatcher.tick();
  await settled();
  expect([sent(), session?.freeSlots]).toEqual([[], 100]);
});

test("a payload that memory does not keep is read when the job is claimed", async () => {
  const spec = specOf({ payload: '"big"' });
  const [record = recordOf()] = jobs(1);
  const { dispatcher, rows, sentTo, read } = start([record], { payloadLoaded: false });
  rows.set(1, { ...record, spec });
  dispatcher.tick();
  await settled();
  expect([sentTo(0).map(({ payload }) => payload), read]).toEqual([['"big"'], [[1]]]);
});

test("a claim of unknown outcome is read back, as lost, and its slots are free again", async () => {
  const { dispatcher, state, sent, lost, session, inFlight } = start(jobs(2));
  state.commit = () => Promise.reject(new ElasticJobError("unavailable", "no answer"));
  dispatcher.tick();
  await settled();
  expect(lost).toEqual([
    {
      claims: [
        { jobId: 1, claim: 1 },
        { jobId: 2, claim: 1 },
      ],
      reason: "its claim was not confirmed",
    },
  ]);
  expect([sent(), session?.freeSlots, inFlight.has(1), state.deposed]).toEqual([[], 100, false, 0]);
});

test("a claim that another epoch refuses ends the mastership, and no claim is lost for it", async () => {
  const { dispatcher, state, sent, lost } = start(jobs(1));
  state.commit = () => Promise.reject(new ElasticJobError("stale_epoch", "another epoch"));
  dispatcher.tick();
  await settled();
  expect([sent(), lost, state.deposed]).toEqual([[], [], 1]);
});

test("a job that nobody can judge stays where it is, and is in nobody's way", async () => {
  const schedule = { ...EVERY_MINUTE, timeZone: "Europe/Newtown" };
  const { dispatcher, places, sent } = start(
    jobs(3, (id) => (id === 1 ? { spec: specOf({ schedule }) } : {})),
  );
  dispatcher.tick();
  await settled();
  expect(sent()).toEqual([2, 3]);
  expect(places()).toEqual(["busy", "running", "running"]);
});
