import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type JobRecord, OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import { HeldClaimSchema, HeldState, Verdict } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { judgeClaims } from "../../../../src/master/nodes/judge-claims.ts";
import { recordOf, resultOf } from "../../../fixtures/job-fixture.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";

const OURS = 3;
const OTHERS = 4;

let opened: Awaited<ReturnType<typeof openTestStore>>;
let lastId = 0;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

/** A job that runs at a node, under its second claim. */
async function runningJob(fields: Partial<JobRecord> = {}): Promise<number> {
  const id = ++lastId;
  const record = recordOf({ id, status: STORED_STATUS.RUNNING, claim: 2, attempt: 1, node: OURS, ...fields });
  await opened.store.insertJobs(masterContext().epoch, [record], []);
  return id;
}

async function judge(jobId: number, claim: number, state: HeldState) {
  const held = create(HeldClaimSchema, { jobId, claim, state });
  const { verdicts, running, over } = await judgeClaims(opened.store, OURS, [held]);
  return {
    verdict: verdicts.map(({ verdict }) => verdict),
    isRunning: running.length > 0,
    isOver: over.length > 0,
  };
}

test("a claim that is its own, and has no row, is kept, whether its handler still runs or not", async () => {
  const id = await runningJob();
  for (const state of [HeldState.RUNNING, HeldState.FINISHED]) {
    expect(await judge(id, 2, state)).toEqual({ verdict: [Verdict.KEEP], isRunning: true, isOver: false });
  }
});

test.each<[string, Partial<JobRecord>, number]>([
  ["of another node", { node: OTHERS }, 2],
  ["that is not the newest", {}, 1],
  ["of a job that waits again", { status: STORED_STATUS.WAITING }, 2],
])("a claim %s is aborted, or forgotten where nothing runs", async (_, fields, claim) => {
  const id = await runningJob(fields);
  expect(await judge(id, claim, HeldState.RUNNING)).toEqual({
    verdict: [Verdict.ABORT],
    isRunning: false,
    isOver: true,
  });
  expect(await judge(id, claim, HeldState.FINISHED)).toEqual({
    verdict: [Verdict.FORGET],
    isRunning: false,
    isOver: true,
  });
});

test("a claim of a job that is not there is aborted, or forgotten", async () => {
  expect((await judge(999, 1, HeldState.RUNNING)).verdict).toEqual([Verdict.ABORT]);
  expect((await judge(999, 1, HeldState.FINISHED)).verdict).toEqual([Verdict.FORGET]);
});

test("a claim that has its row while its handler runs is aborted, and not over before that has ended (G7)", async () => {
  const id = await runningJob();
  await opened.store.writeResults([resultOf({ jobId: id, claim: 2, outcome: OUTCOME.CANCELLED, node: 0 })]);
  expect(await judge(id, 2, HeldState.RUNNING)).toEqual({
    verdict: [Verdict.ABORT],
    isRunning: true,
    isOver: false,
  });
  expect(await judge(id, 2, HeldState.FINISHED)).toEqual({
    verdict: [Verdict.FORGET],
    isRunning: true,
    isOver: true,
  });
});

test("there is a verdict for each claim that a node lists, in their order", async () => {
  const [one, other] = [await runningJob(), await runningJob({ node: OTHERS })];
  const held = [other, one].map((jobId) =>
    create(HeldClaimSchema, { jobId, claim: 2, state: HeldState.RUNNING }),
  );
  const { verdicts } = await judgeClaims(opened.store, OURS, held);
  expect(verdicts.map(({ jobId, verdict }) => [Number(jobId), verdict])).toEqual([
    [other, Verdict.ABORT],
    [one, Verdict.KEEP],
  ]);
});

test("a node that lists no claims is judged without a look at the database", async () => {
  // This store throws at whatever it is asked.
  const { store } = masterContext();
  expect(await judgeClaims(store, OURS, [])).toEqual({ verdicts: [], running: [], over: [] });
});
