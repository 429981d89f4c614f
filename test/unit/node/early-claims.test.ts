/** Claims that reach their node a little before their time. */
import { expect, test, vi } from "vitest";
import type { Assignment } from "../../../src/coordination/assignment.ts";
import { ClusterTime } from "../../../src/core/cluster-time.ts";
import { EndLog } from "../../../src/core/log/end-log.ts";
import type { Execution, ExecutionEnd, Executors } from "../../../src/node/executors.ts";
import { JobLogs } from "../../../src/node/log/job-logs.ts";
import type { EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import { Runner } from "../../../src/node/runner.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

const noLogs = new JobLogs({ store: { writeLog: async () => {} }, clock: systemClock, logger: silentLogger });

const ASSIGNMENT: Assignment = {
  jobId: 0,
  claim: 1,
  revision: 1,
  attempt: 1,
  failures: 0,
  lost: 0,
  name: "",
  handler: "work",
  payload: "",
  scheduledAt: 0,
  timeoutMs: 0,
  slots: 1,
  nextScheduledAt: null,
  nextDueAt: 0,
  lastRetryAt: null,
  retryDelayMs: null,
  placement: "",
  startAt: 0,
};

function setUp() {
  const begun: { readonly jobId: number; readonly at: number }[] = [];
  const ends: ((end: ExecutionEnd) => void)[] = [];
  const results: EndedClaim[] = [];
  const time = new ClusterTime(systemClock, 1_000_000);
  const executors: Executors = {
    handlers: [],
    hasRunJob: true,
    schemas: [],
    run({ jobId }: Execution, ended) {
      begun.push({ jobId, at: time.now() });
      ends.push(ended);
      return { abort: () => ended({ kind: "lost", reason: "aborted", isBlameless: true }) };
    },
    stop: async () => {},
  };
  const writer = { add: (ended: EndedClaim) => results.push(ended) } as unknown as ResultWriter;
  const state: { refusal: string | null } = { refusal: null };
  const endLog = new EndLog({ logger: silentLogger, clock: systemClock });
  const runner = new Runner(
    {
      executors,
      writer,
      logs: noLogs,
      clock: systemClock,
      slots: 1,
      maxLost: 10,
      nodeId: "n1",
      ends: endLog,
    },
    { slotsFreed: () => {}, done: () => {}, progressed: () => {}, whyNotRun: () => state.refusal },
  );
  const start = (assignment: Partial<Assignment>) =>
    runner.start({ ...ASSIGNMENT, ...assignment }, { epoch: 1, nodeNumber: 1, time }, null);
  return { state, runner, start, begun, ends, results, time };
}

test("are begun at their time, not before, and hold up no other until then", async () => {
  const { start, begun, ends, time } = setUp();
  const startAt = time.now() + 50;
  start({ jobId: 1, startAt });
  start({ jobId: 2 });
  expect(begun.map(({ jobId }) => jobId)).toEqual([2]);
  ends[0]?.({ kind: "succeeded", output: null });
  await vi.waitFor(() => expect(begun.map(({ jobId }) => jobId)).toEqual([2, 1]), { interval: 1 });
  expect(begun[1]?.at).toBeGreaterThanOrEqual(startAt);
});

test("that are handed back are not begun, and are due at their time still", async () => {
  const { runner, start, begun, results, time } = setUp();
  const startAt = time.now() + 60;
  start({ jobId: 1, startAt });
  start({ jobId: 2, startAt: startAt + 1 });
  runner.returnQueued("the node is draining");
  expect(results.map(({ row }) => [row.jobId, row.retryAt])).toEqual([
    [1, startAt],
    [2, startAt + 1],
  ]);
  start({ jobId: 3, startAt: startAt + 2 });
  await vi.waitFor(() => expect(begun.map(({ jobId }) => jobId)).toEqual([3]), { interval: 1 });
});

test("are not begun when their time comes and the node's lease has lapsed, as after it stood still", async () => {
  const { state, start, begun, results, time } = setUp();
  start({ jobId: 1, startAt: time.now() + 20 });
  state.refusal = "its node lost touch with the master";
  await vi.waitFor(() => expect(results).toHaveLength(1), { interval: 1 });
  expect(results[0]?.row).toMatchObject({
    jobId: 1,
    reason: "handed back: its node lost touch with the master",
  });
  expect(begun).toEqual([]);
});
