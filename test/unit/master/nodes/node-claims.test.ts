import { expect, test } from "vitest";
import { type DoneClaim, doneMessage } from "../../../../src/coordination/done-claim.ts";
import { NEVER, STORED_STATUS } from "../../../../src/core/job.ts";
import { HeldState, Verdict } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { NOW, recordOf } from "../../../fixtures/job-fixture.ts";
import { runningOn, startNodes } from "../../../fixtures/nodes-of-master.ts";

const NO_LONGER = "its node no longer holds it";

test("of what a node should hold, it keeps what it lists, and what it does not is lost", async () => {
  const { connect, rows, holders, lost, toSettle, queues } = await startNodes();
  const { handler } = await connect();
  for (const [jobId, claim] of [
    [5, 2],
    [6, 1],
    [7, 1],
  ] as const) {
    rows.set(jobId, runningOn(1, { id: jobId, claim }));
    holders.give(1, jobId, claim);
  }
  rows.set(7, runningOn(1, { id: 7, claim: 2 }));
  handler.closed();
  const { verdicts } = await connect({
    claims: [
      [5, 2, HeldState.RUNNING],
      [7, 2, HeldState.RUNNING],
    ],
  });
  expect(verdicts()).toEqual([
    [5, 2, Verdict.KEEP],
    [7, 2, Verdict.KEEP],
  ]);
  expect(lost).toEqual([
    {
      claims: [
        { jobId: 6, claim: 1 },
        { jobId: 7, claim: 1 },
      ],
      reason: NO_LONGER,
    },
  ]);
  expect(holders.claimsOf(1)).toEqual([
    { jobId: 5, claim: 2 },
    { jobId: 7, claim: 2 },
  ]);
  expect([toSettle, queues.get(5)?.place, queues.get(6)]).toEqual([[], "running", undefined]);
});

test("what a node lists is its own before the database has answered: a page that finds it does not lose it", async () => {
  const { connect, rows, holders, lost, state } = await startNodes();
  rows.set(5, runningOn(1));
  const answer = Promise.withResolvers<void>();
  state.read = () => answer.promise;
  const { verdicts } = await connect({ claims: [[5, 2, HeldState.RUNNING]] });
  expect([holders.claimsOf(1), verdicts()]).toEqual([[{ jobId: 5, claim: 2 }], []]);
  holders.found(runningOn(1));
  answer.resolve();
  await settled();
  expect([lost, verdicts()]).toEqual([[], [[5, 2, Verdict.KEEP]]]);
});

test("a node that lists no claims is told of none", async () => {
  const { connect } = await startNodes();
  const { said } = await connect();
  expect(said()).toEqual(["welcome"]);
});

test("a claim that a node lists and that is not its own is aborted, settled, and held no more", async () => {
  const { connect, rows, holders, toSettle, lost } = await startNodes();
  rows.set(5, runningOn(9));
  const { verdicts } = await connect({ claims: [[5, 2, HeldState.RUNNING]] });
  expect(verdicts()).toEqual([[5, 2, Verdict.ABORT]]);
  expect([holders.claimsOf(1), toSettle, lost]).toEqual([[], [{ jobId: 5, claim: 2 }], []]);
});

const DONE: DoneClaim = {
  ...{ jobId: 5, claim: 2, projected: true, status: STORED_STATUS.SUCCEEDED, at: NEVER, scheduledAt: NOW },
  ...{ attempt: 1, failures: 0, lost: 0, endedAt: 0 },
};

/** A node that runs the second claim of job 5, and says what it has done. */
async function afterDone(
  done: Partial<DoneClaim>,
  change: (started: Awaited<ReturnType<typeof startNodes>>) => void = () => {},
) {
  const started = await startNodes();
  started.pages.addEmptyClass(1);
  const { say, sent } = await started.connect();
  started.memory.run(runningOn(1), true);
  started.holders.give(1, 5, 2);
  change(started);
  await say({ case: "done", value: doneMessage(3, [{ ...DONE, ...done }]) });
  expect(sent.at(-1)).toMatchObject({ case: "doneAck", value: { sequence: 3 } });
  return { ...started, place: started.queues.get(5)?.place, record: started.queues.get(5)?.record };
}

test("a job that has ended for good leaves memory, and nothing is read of it", async () => {
  const { place, toSettle, holders } = await afterDone({});
  expect([place, toSettle, holders.claimsOf(1)]).toEqual([undefined, [], []]);
});

test("a job that waits again is placed as its row now is", async () => {
  const state = {
    status: STORED_STATUS.WAITING,
    at: NOW + 5_000,
    scheduledAt: NOW,
    attempt: 1,
    failures: 1,
    lost: 0,
  };
  const { place, record, toSettle } = await afterDone({ ...state, endedAt: NOW });
  expect([place, toSettle]).toEqual(["waiting", []]);
  expect(record).toMatchObject({ ...state, endedAt: NOW, claim: 2, updateTime: NOW });
});

test.each<[string, Partial<DoneClaim>, Parameters<typeof afterDone>[1], string | undefined]>([
  ["of which the node could not project the row", { projected: false }, undefined, "running"],
  ["of a status that this master does not know", { status: 99 }, undefined, "running"],
  ["that is not the job's newest", { claim: 1 }, undefined, "running"],
  [
    "of a job that memory does not know to run",
    {},
    ({ memory, queues }) => {
      queues.drop(5);
      memory.place(recordOf({ id: 5, claim: 2 }));
    },
    "waiting",
  ],
  ["of a job that is not in memory", {}, ({ queues }) => queues.drop(5), undefined],
  [
    "of a job about which a write is in flight",
    {},
    ({ inFlight }) => inFlight.mark([5], new Promise(() => {})),
    "running",
  ],
])("a claim %s is settled by what the database says", async (_, done, change, stays) => {
  const { place, toSettle } = await afterDone(done, change);
  expect(toSettle).toEqual([{ jobId: 5, claim: done.claim ?? 2 }]);
  expect(place).toBe(stays);
});
