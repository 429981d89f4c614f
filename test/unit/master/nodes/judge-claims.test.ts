import { expect, test } from "vitest";
import { type JobRecord, STORED_STATUS } from "../../../../src/core/job.ts";
import { HeldState, Verdict } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { judgeClaims } from "../../../../src/master/nodes/judge-claims.ts";
import type { ClaimRef, JobStore } from "../../../../src/store/job-store.ts";
import { recordOf, resultOf } from "../../core/job-fixture.ts";

const NODE = 3;
const { RUNNING: RUNS, FINISHED, WRITTEN } = HeldState;
const { KEEP, ABORT, FORGET } = Verdict;
const OURS: Partial<JobRecord> = { status: STORED_STATUS.RUNNING, claim: 5, node: NODE };

/** What becomes of claim 5 of a job, when the node says that it is in this state. */
async function judge(state: HeldState, fields: Partial<JobRecord> | null, hasRow = false) {
  const asked: ClaimRef[] = [];
  const store: Pick<JobStore, "readJobs" | "readFinalRows"> = {
    readJobs: async () => new Map(fields === null ? [] : [[1, recordOf({ id: 1, ...fields })]]),
    readFinalRows: async (claims) => {
      asked.push(...claims);
      return new Map(hasRow ? claims.map(({ jobId, claim }) => [jobId, resultOf({ jobId, claim })]) : []);
    },
  };
  const held = { $typeName: "elasticjob.v1.HeldClaim", jobId: 1, claim: 5, state } as const;
  const { verdicts, running, over } = await judgeClaims(store as JobStore, NODE, [held]);
  return {
    verdict: verdicts[0]?.verdict,
    isRunning: running.length === 1,
    isOver: over.length === 1,
    isRowRead: asked.length === 1,
  };
}

test.each([
  ["runs, and is its node's", RUNS, OURS, false, { verdict: KEEP, isRunning: true, isOver: false }],
  [
    "has ended, its row is not there",
    FINISHED,
    OURS,
    false,
    { verdict: KEEP, isRunning: true, isOver: false },
  ],
  ["runs, and was cancelled", RUNS, OURS, true, { verdict: ABORT, isRunning: true, isOver: false }],
  ["has ended, its row is there", FINISHED, OURS, true, { verdict: FORGET, isRunning: true, isOver: true }],
  ["is written", WRITTEN, OURS, true, { verdict: FORGET, isRunning: true, isOver: true }],
  ["runs, of a job that is gone", RUNS, null, false, { verdict: ABORT, isRunning: false, isOver: true }],
  [
    "is written, of a job that is gone",
    WRITTEN,
    null,
    false,
    { verdict: FORGET, isRunning: false, isOver: true },
  ],
  [
    "runs, and was given to another node",
    RUNS,
    { ...OURS, node: 4 },
    false,
    { verdict: ABORT, isRunning: false, isOver: true },
  ],
  [
    "runs, and is older than the job's newest",
    RUNS,
    { ...OURS, claim: 6 },
    true,
    { verdict: ABORT, isRunning: false, isOver: true },
  ],
  [
    "runs, of a job that does not",
    RUNS,
    { ...OURS, status: STORED_STATUS.WAITING },
    false,
    { verdict: ABORT, isRunning: false, isOver: true },
  ],
])("a claim that %s", async (_, state, fields, hasRow, expected) => {
  const isRowRead = fields?.claim === 5;
  expect(await judge(state, fields, hasRow)).toEqual({ ...expected, isRowRead });
});

test("a hello without claims reads nothing", async () => {
  const nothing = { verdicts: [], running: [], over: [] };
  expect(await judgeClaims({} as JobStore, NODE, [])).toEqual(nothing);
});
