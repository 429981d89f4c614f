import { expect, test } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { farEnd, OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import { type EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import type { JobStore, Projection } from "../../../src/store/job-store.ts";
import { resultOf } from "../../fixtures/job-fixture.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

const FULL = 512;

function rig() {
  let now = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  /** Batches that are being written, and what ends each. */
  const batches: { readonly rows: number; readonly end: () => void }[] = [];
  const projections: (readonly Projection[])[] = [];
  const store: Partial<JobStore> = {
    writeResults: async (rows) => {
      await new Promise<void>((resolve) => batches.push({ rows: rows.length, end: resolve }));
      return rows.map(() => "first");
    },
    projectJobs: async (rows) => {
      projections.push(rows);
      return rows.map(() => true);
    },
  };
  const writer = new ResultWriter({ store: store as JobStore, clock, logger: silentLogger });
  let lastJobId = 0;
  return {
    writer,
    batches,
    projections,
    add(changes: { readonly endTime?: number; readonly isRetried?: boolean } = {}): Promise<Projection> {
      const { endTime = 0, isRetried = false } = changes;
      return new Promise((resolve) => {
        writer.add(ended(++lastJobId, endTime, isRetried, (state) => resolve(state as Projection)));
      });
    },
    async wait(ms: number): Promise<void> {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { run } of due) run();
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
}

function ended(
  jobId: number,
  endTime: number,
  isRetried: boolean,
  written: (state: object) => void,
): EndedClaim {
  const state = { scheduledAt: jobId, attempt: 1, failures: 0, lost: 0, endedAt: endTime };
  return {
    row: resultOf({
      jobId,
      outcome: isRetried ? OUTCOME.FAILED : OUTCOME.SUCCEEDED,
      scheduledAt: jobId,
      startTime: 0,
      endTime,
      retryAt: isRetried ? endTime + 1000 : null,
    }),
    state: isRetried
      ? { ...state, status: STORED_STATUS.WAITING, at: endTime + 1000 }
      : { ...state, status: STORED_STATUS.SUCCEEDED, at: farEnd(endTime) },
    revision: 1,
    asFailed: null,
    whyOver: "",
    becameFinal: () => {},
    written: (_, projected) => written(projected),
  };
}

test("what comes while a batch is written gathers, and goes when that is done", async () => {
  const { add, wait, batches } = rig();
  add();
  await wait(0);
  add();
  await wait(1);
  add();
  await wait(1);
  expect(batches.map(({ rows }) => rows)).toEqual([1]);
  batches[0]?.end();
  await wait(0);
  expect(batches.map(({ rows }) => rows)).toEqual([1, 2]);
});

test("a full batch goes beside the one that is written, a third waits", async () => {
  const { add, wait, batches } = rig();
  add();
  await wait(0);
  for (let count = 0; count < 2 * FULL; count++) add();
  await wait(0);
  expect(batches.map(({ rows }) => rows)).toEqual([1, FULL]);
});

test("nothing waits long for a batch that does not come to an end", async () => {
  const { add, wait, batches } = rig();
  add();
  await wait(0);
  add();
  await wait(0);
  await wait(49);
  expect(batches.map(({ rows }) => rows)).toEqual([1]);
  await wait(1);
  expect(batches.map(({ rows }) => rows)).toEqual([1, 1]);
});

test("a batch that is just full goes beside another at once, one row less does not", async () => {
  const { add, wait, batches } = rig();
  add();
  await wait(0);
  for (let count = 1; count < FULL; count++) add();
  await wait(0);
  expect(batches.map(({ rows }) => rows)).toEqual([1]);
  add();
  await wait(0);
  expect(batches.map(({ rows }) => rows)).toEqual([1, FULL]);
});

test("a writer that has stopped tells of no row that was written too late", async () => {
  const { writer, add, wait, batches } = rig();
  let isTold = false;
  void add().then(() => {
    isTold = true;
  });
  await wait(0);
  let isStopped = false;
  void writer.stop(10).then(() => {
    isStopped = true;
  });
  await wait(9);
  expect(isStopped).toBe(false);
  await wait(1);
  expect(isStopped).toBe(true);
  batches[0]?.end();
  await wait(0);
  expect(isTold).toBe(false);
});

test("jobs that end for good in one batch end with the last of them; others keep their time", async () => {
  const { add, wait, batches, projections } = rig();
  const ends = [add({ endTime: 10 }), add({ endTime: 30 }), add({ endTime: 20, isRetried: true })];
  await wait(0);
  batches[0]?.end();
  const told = await Promise.all(ends);
  expect(told.map(({ endedAt, at }) => [endedAt, at])).toEqual([
    [30, farEnd(30)],
    [30, farEnd(30)],
    [20, 1020],
  ]);
  expect(projections).toEqual([told]);
});
