import { expect, test } from "vitest";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import {
  farEnd,
  type JobRecord,
  NEVER,
  OUTCOME,
  type ResultRecord,
  STORED_STATUS,
} from "../../../../src/core/job.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { Endings } from "../../../../src/master/ending/endings.ts";
import type { FinalRows, MasterEnd } from "../../../../src/master/ending/final-rows.ts";
import type { ClaimHolders } from "../../../../src/master/memory/claim-holders.ts";
import { InFlight } from "../../../../src/master/memory/in-flight.ts";
import type { JobMemory } from "../../../../src/master/memory/job-memory.ts";
import type { ClaimWrite, JobStore, Projection } from "../../../../src/store/job-store.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { EVERY_MINUTE, NOW, recordOf, resultOf, specOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";

const { RUNNING, WAITING, PAUSED, SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;
const RETRY_MS = 200;
const MINUTE = 60_000;
const unavailable = () => new ElasticJobError("unavailable", "no answer");

/** Job 1 under its second claim, on node 3. */
const runningOf = (fields: Partial<JobRecord> = {}) =>
  recordOf({ status: RUNNING, claim: 2, attempt: 1, node: 3, revision: 4, ...fields });

/** A store that keeps these rows and the final rows of their claims, and a memory that records what it is told. */
function start(...records: JobRecord[]) {
  const clock = new ManualClock();
  const rows = new Map(records.map((record) => [record.id, record]));
  const finalRows = new Map<string, ResultRecord>();
  const keyOf = ({ jobId, claim }: { jobId: number; claim: number }) => `${jobId}/${claim}`;
  const state = {
    isTrusted: true,
    deposed: 0,
    /** What is done before each call of the store. */
    call: async (_name: string): Promise<void> => {},
  };
  const reads: (readonly number[])[] = [];
  const calls: string[] = [];
  const call = async (name: string) => {
    calls.push(name);
    await state.call(name);
  };
  const store = {
    async readJobs(ids: readonly number[]) {
      reads.push(ids);
      await call("readJobs");
      return new Map([...rows].filter(([id]) => ids.includes(id)));
    },
    async claimJobs(_: number, node: number, writes: readonly ClaimWrite[]) {
      await call("claimJobs");
      for (const { jobId, claim, revision } of writes) {
        const row = rows.get(jobId);
        if (row === undefined || row.status === RUNNING || row.revision !== revision) continue;
        rows.set(jobId, { ...row, status: RUNNING, claim, attempt: row.attempt + 1, node });
      }
    },
    async readFinalRows(claims: readonly { jobId: number; claim: number }[]) {
      await call("readFinalRows");
      return new Map(
        claims.flatMap((claim) => {
          const row = finalRows.get(keyOf(claim));
          return row === undefined ? [] : [[claim.jobId, row] as const];
        }),
      );
    },
    async projectJobs(projections: readonly Projection[]) {
      await call("projectJobs");
      return projections.map(({ jobId, claim, revision, ...projected }) => {
        const row = rows.get(jobId);
        if (row?.status !== RUNNING || row.claim !== claim || row.revision !== revision) return false;
        rows.set(jobId, { ...row, ...projected });
        return true;
      });
    },
  } as unknown as JobStore;
  const ended = new AbortController();
  const context = masterContext({
    ...{ clock, store, ended: ended.signal },
    trusted: () => state.isTrusted,
    deposed: () => void state.deposed++,
    settings: { maxLost: 3 },
  });
  const placed: JobRecord[] = [];
  const removed: number[] = [];
  const found: number[] = [];
  const written: MasterEnd[] = [];
  const inFlight = new InFlight();
  const endings = new Endings(context, {
    memory: {
      queues: new Queues(),
      place: (record: JobRecord) => placed.push(record),
      remove: (id: number) => removed.push(id),
    } as unknown as JobMemory,
    inFlight,
    holders: { found: ({ id }: JobRecord) => found.push(id) } as unknown as ClaimHolders,
    finalRows: {
      async write(ends: readonly MasterEnd[]) {
        await call("writeFinalRows");
        for (const end of ends) {
          written.push(end);
          if (!finalRows.has(keyOf(end.row))) finalRows.set(keyOf(end.row), end.row);
        }
      },
    } as unknown as FinalRows,
  });
  return {
    ...{ clock, rows, state, reads, calls, ended, placed, removed, found, written, inFlight, endings },
    endOf: (row: ResultRecord) => finalRows.set(keyOf(row), row),
    /** Fails that call of the store once. */
    failOnce(name: string, error = unavailable()) {
      state.call = async (called) => {
        if (called !== name) return;
        state.call = async () => {};
        throw error;
      };
    },
  };
}

test("a claim that is lost gets its row, and its job is tried again, in the database and in memory", async () => {
  const { endings, rows, placed, written, clock } = start(runningOf());
  clock.move(500);
  endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
  await settled();
  const row = { outcome: OUTCOME.LOST, claim: 2, reason: "its node is gone", retryAt: NOW + 500 };
  expect(written).toMatchObject([{ row, whyOver: "" }]);
  const after = { status: WAITING, at: NOW + 500, attempt: 1, lost: 1, updateTime: NOW + 500 };
  expect([rows.get(1), placed]).toMatchObject([after, [{ id: 1, ...after }]]);
});

test("a job that is lost before its time is tried again at its time; one that was lost too often is over", async () => {
  const early = runningOf({ id: 1, at: NOW + 700 });
  const often = runningOf({ id: 2, lost: 2 });
  const { endings, rows, written } = start(early, often);
  endings.lose(
    [
      { jobId: 1, claim: 2 },
      { jobId: 2, claim: 2 },
    ],
    "its node is gone",
  );
  await settled();
  expect([rows.get(1), rows.get(2)]).toMatchObject([
    { status: WAITING, at: NOW + 700 },
    { status: FAILED, at: farEnd(NOW), lost: 3 },
  ]);
  expect(written.map(({ whyOver }) => whyOver)).toEqual(["", "lost 3 times in a row"]);
});

test("a claim for nobody that is lost has ended nothing: its job is as it was before", async () => {
  const { endings, rows, written } = start(runningOf({ node: 0, at: NOW + 5 }));
  endings.lose([{ jobId: 1, claim: 2 }], "its master is gone");
  await settled();
  expect(written).toMatchObject([{ row: { attempt: 0, reason: "the master that was to end it is gone" } }]);
  expect(rows.get(1)).toMatchObject({ status: WAITING, at: NOW + 5, attempt: 0, lost: 0 });
});

test.each<["lose" | "settle"]>([["lose"], ["settle"]])(
  "to %s a claim leaves a newer one of the same job alone: it may run elsewhere (G2)",
  async (way) => {
    const newer = runningOf({ claim: 3, node: 4 });
    const { endings, rows, written, placed, removed, endOf } = start(newer);
    endOf(resultOf({ claim: 3 }));
    if (way === "lose") endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
    else endings.settle([{ jobId: 1, claim: 2 }]);
    await settled();
    expect([rows.get(1), written, placed, removed]).toEqual([newer, [], [], []]);
  },
);

test("jobs of lost claims that do not run any more are in memory as the database says", async () => {
  const paused = recordOf({ id: 2, status: PAUSED, at: NEVER });
  const { endings, placed, removed, written } = start(paused);
  endings.lose(
    [
      { jobId: 1, claim: 2 },
      { jobId: 2, claim: 2 },
    ],
    "its node is gone",
  );
  await settled();
  expect([removed, placed, written]).toEqual([[1], [paused], []]);
});

test("a claim that has its row already ends as that says; one without a row goes on", async () => {
  const goesOn = runningOf({ id: 2 });
  const { endings, rows, placed, endOf } = start(runningOf(), goesOn);
  endOf(resultOf({ claim: 2 }));
  endings.settle([
    { jobId: 1, claim: 2 },
    { jobId: 2, claim: 2 },
  ]);
  await settled();
  expect([rows.get(1)?.status, rows.get(2)]).toEqual([SUCCEEDED, goesOn]);
  expect(placed.map(({ id }) => id)).toEqual([1]);
});

test("what is in line already is asked for no more; with nothing to end, nothing is asked", async () => {
  const { endings, calls, endOf } = start(runningOf());
  endOf(resultOf({ claim: 2 }));
  endings.settle([]);
  expect(calls).toEqual([]);
  endings.settle([{ jobId: 1, claim: 2 }]);
  await settled();
  expect(calls).toEqual(["readJobs", "readFinalRows", "projectJobs"]);
  endings.settle([{ jobId: 1, claim: 2 }]);
  await settled();
  expect(calls.slice(3)).toEqual(["readJobs"]);
});

test("a job that was paused while it ran is held back, unless it has ended for good", async () => {
  const pausing = specOf({ isPausing: true });
  const { endings, rows, endOf } = start(
    runningOf({ id: 1, spec: pausing }),
    runningOf({ id: 2, spec: { ...pausing, schedule: EVERY_MINUTE } }),
  );
  for (const jobId of [1, 2]) endOf(resultOf({ jobId, claim: 2 }));
  endings.settle([
    { jobId: 1, claim: 2 },
    { jobId: 2, claim: 2 },
  ]);
  await settled();
  expect([rows.get(1), rows.get(2)]).toMatchObject([
    { status: SUCCEEDED },
    { status: PAUSED, at: NEVER, scheduledAt: NOW + MINUTE },
  ]);
});

test("a job that is changed while it is projected is read again, and projected as it is by then", async () => {
  const { endings, rows, state, placed, endOf } = start(runningOf());
  endOf(resultOf({ claim: 2 }));
  state.call = async (name) => {
    if (name !== "projectJobs") return;
    state.call = async () => {};
    rows.set(1, runningOf({ revision: 5, spec: specOf({ name: "changed" }) }));
  };
  endings.settle([{ jobId: 1, claim: 2 }]);
  await settled();
  expect(placed).toMatchObject([{ id: 1, status: SUCCEEDED, revision: 5, spec: { name: "changed" } }]);
});

test("a job that another claim has got while it was projected is left to that", async () => {
  const newer = runningOf({ claim: 3, node: 4 });
  const { endings, rows, state, placed, endOf } = start(runningOf());
  for (const claim of [2, 3]) endOf(resultOf({ claim }));
  state.call = async (name) => {
    if (name === "projectJobs") rows.set(1, newer);
  };
  endings.settle([{ jobId: 1, claim: 2 }]);
  await settled();
  expect([rows.get(1), placed]).toEqual([newer, []]);
});

test("a job that changes each time that it is projected is given up after ten times", async () => {
  const { endings, rows, state, endOf } = start(runningOf());
  endOf(resultOf({ claim: 2 }));
  let tries = 0;
  state.call = async (name) => {
    if (name === "projectJobs") rows.set(1, runningOf({ revision: 10 + ++tries }));
  };
  endings.settle([{ jobId: 1, claim: 2 }]);
  await settled();
  expect([tries, rows.get(1)?.status]).toEqual([10, RUNNING]);
});

test("without trust no claim is ended; with it again, it is (G8)", async () => {
  const { endings, state, reads, rows, clock } = start(runningOf());
  state.isTrusted = false;
  endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
  for (let times = 0; times < 3; times++) {
    clock.move(RETRY_MS);
    await settled();
  }
  expect([reads, rows.get(1)?.status]).toEqual([[], RUNNING]);
  state.isTrusted = true;
  clock.move(RETRY_MS);
  await settled();
  expect(rows.get(1)?.status).toBe(WAITING);
});

test("what the database does not answer is tried again after a rest", async () => {
  const { endings, failOnce, rows, clock, state } = start(runningOf());
  failOnce("writeFinalRows");
  endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
  await settled();
  clock.move(RETRY_MS - 1);
  await settled();
  expect(rows.get(1)?.status).toBe(RUNNING);
  clock.move(1);
  await settled();
  expect([rows.get(1)?.status, state.deposed]).toEqual([WAITING, 0]);
});

test("a write that another epoch refuses ends the mastership, and is not tried again", async () => {
  const { endings, failOnce, rows, clock, state } = start(runningOf());
  failOnce("writeFinalRows", new ElasticJobError("stale_epoch", "another epoch"));
  endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
  await settled();
  clock.move(RETRY_MS);
  await settled();
  expect([rows.get(1)?.status, state.deposed]).toEqual([RUNNING, 1]);
});

test("once the mastership has ended, nothing is tried any more", async () => {
  const { endings, state, ended, reads, clock } = start(runningOf());
  state.isTrusted = false;
  endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
  state.isTrusted = true;
  ended.abort();
  endings.lose([{ jobId: 1, claim: 2 }], "its node is gone");
  clock.move(RETRY_MS);
  await settled();
  expect(reads).toEqual([]);
});

test("a job about which a write is in flight is ended after it; the others are not held up", async () => {
  const write = Promise.withResolvers<void>();
  const { endings, inFlight, reads } = start(runningOf(), runningOf({ id: 2 }));
  inFlight.mark([1], write.promise);
  endings.settle([
    { jobId: 1, claim: 2 },
    { jobId: 2, claim: 2 },
  ]);
  await settled();
  expect(reads).toEqual([[2]]);
  write.resolve();
  await settled();
  expect(reads).toEqual([[2], [1]]);
});

test("while a claim is being ended, a write about its job is in flight", async () => {
  const read = Promise.withResolvers<void>();
  const { endings, inFlight, state } = start(runningOf());
  state.call = () => read.promise;
  endings.settle([{ jobId: 1, claim: 2 }]);
  await settled();
  expect(inFlight.has(1)).toBe(true);
  read.resolve();
  await settled();
  expect(inFlight.has(1)).toBe(false);
});

test("five hundred claims are one batch", async () => {
  const { endings, reads } = start();
  endings.settle(Array.from({ length: 1_001 }, (_, index) => ({ jobId: index + 1, claim: 1 })));
  await settled();
  expect(reads.map((ids) => [ids[0], ids.length])).toEqual([
    [1, 500],
    [501, 500],
    [1_001, 1],
  ]);
});

test("jobs whose write may hang are read at once, and once more after five seconds", async () => {
  const waits = recordOf({ id: 2 });
  const { endings, rows, reads, found, placed, clock } = start(waits);
  endings.reread([1, 2]);
  await settled();
  expect([reads, found, placed]).toEqual([[[1, 2]], [], [waits]]);
  rows.set(1, runningOf());
  clock.move(4_999);
  await settled();
  expect(reads).toHaveLength(1);
  clock.move(1);
  await settled();
  expect([reads.length, found]).toEqual([2, [1]]);
});

test("jobs whose write may hang are read no more once the mastership has ended", async () => {
  const { endings, reads, ended, clock } = start(runningOf());
  endings.reread([1]);
  await settled();
  ended.abort();
  clock.move(5_000);
  await settled();
  expect(reads).toHaveLength(1);
});

const ONE_SKIPPED = { kind: "skip", reason: "misfire", from: NOW, through: NOW, count: 1 } as const;

test("occurrences are skipped by one row, under a claim for nobody, and the job goes on with the next", async () => {
  const record = recordOf({ revision: 4, spec: specOf({ schedule: EVERY_MINUTE }) });
  const { endings, rows, placed, written } = start(record);
  await endings.skip(record, { ...ONE_SKIPPED, through: NOW + MINUTE, count: 2 });
  const row = { outcome: OUTCOME.SKIPPED, claim: 1, node: 0, attempt: 0, reason: "misfire", retryAt: null };
  const skipped = { skippedThrough: NOW + MINUTE, skippedCount: 2 };
  expect(written).toMatchObject([{ row: { ...row, ...skipped } }]);
  const after = { status: WAITING, claim: 1, attempt: 0, scheduledAt: NOW + 2 * MINUTE };
  expect([rows.get(1), placed]).toMatchObject([after, [after]]);
});

test("a row that skips one occurrence names no other", async () => {
  const record = recordOf({ spec: specOf({ schedule: EVERY_MINUTE }) });
  const { endings, written } = start(record);
  await endings.skip(record, ONE_SKIPPED);
  expect(written).toMatchObject([{ row: { skippedThrough: null, skippedCount: 1 } }]);
});

test("a job that waits is cancelled, and returned as it is after that", async () => {
  const record = recordOf();
  const { endings, written } = start(record);
  expect(await endings.cancelWaiting(record)).toMatchObject({ id: 1, status: CANCELLED, claim: 1 });
  expect(written).toMatchObject([{ row: { outcome: OUTCOME.CANCELLED, reason: "cancelled by a caller" } }]);
});

test.each<[string, JobRecord | null, { removed: number[]; placed: number }]>([
  ["is gone", null, { removed: [1], placed: 0 }],
  ["was paused", recordOf({ status: PAUSED, at: NEVER, revision: 1 }), { removed: [], placed: 1 }],
  // Whoever has claimed it puts it into memory.
  ["was claimed for a node", runningOf({ claim: 2 }), { removed: [], placed: 0 }],
  // Ended under the very number that the claim for nobody was to have.
  [
    "was claimed, and has ended",
    recordOf({ status: SUCCEEDED, claim: 1, revision: 1 }),
    { removed: [], placed: 1 },
  ],
])("a job that %s meanwhile is not cancelled", async (_, now, expected) => {
  const { endings, rows, written, placed, removed } = start();
  if (now !== null) rows.set(1, now);
  expect(await endings.cancelWaiting(recordOf())).toBeNull();
  expect([written, rows.get(1) ?? null]).toEqual([[], now]);
  expect({ removed, placed: placed.length }).toEqual(expected);
});
