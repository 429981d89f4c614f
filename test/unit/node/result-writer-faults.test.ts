/** Results that the database does not take at once, or not at all, on virtual time. */
import { expect, test } from "vitest";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { farEnd, OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import { type EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { Gate, ProcessClock, VirtualTime } from "../../../src/testing/virtual-clock.ts";
import { resultOf } from "../../fixtures/job-fixture.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

const away = () => new ElasticJobError("unavailable", "no answer");
const refused = () => new ElasticJobError("invalid_argument", "too long");

function rig() {
  const time = new VirtualTime();
  const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 0 });
  const store = {
    /** What the database says to rows of these jobs; null: it takes them. */
    fault: (_jobIds: readonly number[], _isFailed: boolean): Error | null => null,
    projectionFault: (_jobIds: readonly number[]): Error | null => null,
    /** Whether its job was changed since it was claimed, so that the projection does not apply. */
    isChanged: (_jobId: number) => false,
  };
  const writes: { readonly at: number; readonly jobIds: readonly number[] }[] = [];
  const projected: number[][] = [];
  const written: { readonly jobId: number; readonly projected: boolean; readonly status: number }[] = [];
  const final: { readonly jobId: number; readonly outcome: number }[] = [];
  const jobStore: Partial<JobStore> = {
    writeResults: async (rows) => {
      const jobIds = rows.map(({ jobId }) => jobId);
      writes.push({ at: time.now, jobIds });
      const fault = store.fault(
        jobIds,
        rows.every(({ outcome }) => outcome === OUTCOME.FAILED),
      );
      if (fault !== null) throw fault;
      return rows.map(({ claim }) => (claim === 1 ? "first" : "late"));
    },
    projectJobs: async (rows) => {
      const jobIds = rows.map(({ jobId }) => jobId);
      const fault = store.projectionFault(jobIds);
      if (fault !== null) throw fault;
      projected.push(jobIds);
      return jobIds.map((jobId) => !store.isChanged(jobId));
    },
  };
  const writer = new ResultWriter({ store: jobStore as JobStore, clock, logger: silentLogger });
  return {
    time,
    writer,
    store,
    writes,
    projected,
    written,
    final,
    add(...jobs: (number | { readonly jobId: number; readonly claim: number })[]): void {
      for (const job of jobs) {
        const { jobId, claim } = typeof job === "number" ? { jobId: job, claim: 1 } : job;
        writer.add(
          endedClaim(jobId, claim, {
            becameFinal: (outcome) => final.push({ jobId, outcome }),
            written: (isProjected, status) => written.push({ jobId, projected: isProjected, status }),
          }),
        );
      }
    },
  };
}

function endedClaim(
  jobId: number,
  claim: number,
  on: {
    readonly becameFinal: (outcome: number) => void;
    readonly written: (projected: boolean, status: number) => void;
  },
): EndedClaim {
  const row = resultOf({ jobId, claim, endTime: 0 });
  const state = { scheduledAt: 0, attempt: 1, failures: 0, lost: 0, endedAt: 0, at: farEnd(0) };
  return {
    row,
    state: { ...state, status: STORED_STATUS.SUCCEEDED },
    revision: 1,
    asFailed: (error) => ({
      row: { ...row, outcome: OUTCOME.FAILED, error },
      state: { ...state, status: STORED_STATUS.FAILED },
      whyOver: "its error is permanent",
    }),
    whyOver: "",
    becameFinal: (end) => on.becameFinal(end.row.outcome),
    written: (projected, { status }) => on.written(projected, status),
  };
}

test("a batch is written in the order of its jobs and claims, with one statement", async () => {
  const { time, add, writes, projected, written } = rig();
  add(3, { jobId: 2, claim: 3 }, { jobId: 2, claim: 1 }, 1);
  await time.advance(0);
  expect(writes).toEqual([{ at: 0, jobIds: [1, 2, 2, 3] }]);
  // What came second is not projected.
  expect(projected).toEqual([[1, 2, 3]]);
  expect(written.map(({ jobId, projected: isProjected }) => [jobId, isProjected])).toEqual([
    [1, true],
    [2, true],
    [2, false],
    [3, true],
  ]);
});

test("what is no first row is projected by nobody", async () => {
  const { time, add, projected, written, final } = rig();
  add({ jobId: 1, claim: 2 });
  await time.advance(0);
  expect(projected).toEqual([]);
  expect(final).toEqual([]);
  expect(written).toMatchObject([{ jobId: 1, projected: false }]);
});

test("a database out of reach is asked again, ever more slowly, up to every five seconds", async () => {
  const { time, add, store, writes, written } = rig();
  store.fault = away;
  add(1, 2);
  await time.advance(17_700);
  expect(writes.map(({ at }) => at)).toEqual([0, 100, 300, 700, 1500, 3100, 6300, 11_300, 16_300]);
  expect(writes.every(({ jobIds }) => jobIds.length === 2)).toBe(true);
  store.fault = () => null;
  await time.advance(5000);
  expect(written.map(({ jobId }) => jobId)).toEqual([1, 2]);
});

test("a row that the database refuses is written as FAILED, and holds up no other", async () => {
  const { time, add, store, writes, written, final } = rig();
  store.fault = (jobIds, isFailed) => (jobIds.includes(3) && !isFailed ? refused() : null);
  add(1, 2, 3, 4, 5);
  await time.advance(0);
  expect(writes.map(({ jobIds }) => jobIds)).toEqual([[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [3], [4, 5]]);
  expect(written).toEqual(
    [1, 2, 3, 4, 5].map((jobId) => ({
      jobId,
      projected: true,
      status: jobId === 3 ? STORED_STATUS.FAILED : STORED_STATUS.SUCCEEDED,
    })),
  );
  expect(final).toEqual(
    [1, 2, 3, 4, 5].map((jobId) => ({
      jobId,
      outcome: jobId === 3 ? OUTCOME.FAILED : OUTCOME.SUCCEEDED,
    })),
  );
});

test.each([
  [
    "for another reason than what it says",
    () => new ElasticJobError("internal", "broken"),
    STORED_STATUS.SUCCEEDED,
  ],
  ["as FAILED too", refused, STORED_STATUS.FAILED],
])(
  "a row that the database refuses %s waits for another try, and is still counted",
  async (_, fault, status) => {
    const { time, writer, add, store, writes, written } = rig();
    store.fault = (jobIds) => (jobIds.includes(1) ? fault() : null);
    add(1, 2);
    await time.advance(4999);
    expect(written.map(({ jobId }) => jobId)).toEqual([2]);
    expect(writer.backlog).toBe(1);
    const before = writes.length;
    await time.advance(1);
    expect(writes).toHaveLength(before + 1);
    store.fault = () => null;
    await time.advance(5000);
    expect(written.map(({ jobId }) => jobId)).toEqual([2, 1]);
    expect(written[1]?.status).toBe(status);
    expect(writer.backlog).toBe(0);
  },
);

test("a projection that the database refuses is left to the master", async () => {
  const { time, add, store, written } = rig();
  store.projectionFault = (jobIds) => (jobIds.includes(2) ? refused() : null);
  add(1, 2, 3);
  await time.advance(0);
  expect(written.map(({ projected }) => projected)).toEqual([true, false, true]);
});

test("a projection that does not apply is told, so that the master makes it; those beside it are done", async () => {
  const { time, add, store, projected, written } = rig();
  store.isChanged = (jobId) => jobId === 2;
  add(1, 2, 3);
  await time.advance(0);
  expect(projected).toEqual([[1, 2, 3]]);
  expect(written.map(({ jobId, projected: isProjected }) => [jobId, isProjected])).toEqual([
    [1, true],
    [2, false],
    [3, true],
  ]);
});

test("a row that waits for another try gets none from a writer that has stopped", async () => {
  const { time, writer, add, store, writes } = rig();
  store.fault = () => new ElasticJobError("internal", "broken");
  add(1);
  await time.advance(10);
  void writer.stop(1000);
  await time.advance(999);
  const before = writes.length;
  await time.advance(10_000);
  expect(writes).toHaveLength(before);
});

test("a writer stops when all is written, deferred rows too", async () => {
  const { time, writer, add, store, written } = rig();
  let isStopped = false;
  const stop = async () => {
    await writer.stop(20_000);
    isStopped = true;
  };
  store.fault = (jobIds) => (jobIds.includes(1) ? new ElasticJobError("internal", "broken") : null);
  add(1, 2);
  await time.advance(10);
  void stop();
  await time.advance(4000);
  expect(isStopped).toBe(false);
  store.fault = away;
  await time.advance(1100);
  expect(isStopped).toBe(false);
  store.fault = () => null;
  await time.advance(200);
  expect(isStopped).toBe(true);
  expect(written.map(({ jobId }) => jobId)).toEqual([2, 1]);
});

test("a writer with nothing to write stops at once", async () => {
  const { time, writer } = rig();
  let isStopped = false;
  void writer.stop(20_000).then(() => {
    isStopped = true;
  });
  await time.advance(0);
  expect(isStopped).toBe(true);
});

test.each([
  ["out of reach", away],
  ["broken", () => new ElasticJobError("internal", "broken")],
])("a writer that has stopped gives up what a database that is %s has not taken", async (_, fault) => {
  const { time, writer, add, store, writes, written } = rig();
  store.fault = fault;
  add(1, 2);
  await time.advance(10);
  void writer.stop(1000);
  await time.advance(1000);
  const before = writes.length;
  store.fault = () => null;
  await time.advance(60_000);
  expect(writes).toHaveLength(before);
  expect(written).toEqual([]);
});
