import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type DoneClaim, doneClaimsOf } from "../../../src/coordination/done-claim.ts";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { CreditSchema, type GetJobRequest } from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { MasterConnection } from "../../../src/node/master-connection.ts";

const MASTER = { address: "a:7070", nodeId: "a", incarnation: "of a", epoch: 1, cluster: "c" };

function open() {
  const sent: GetJobRequest["message"][] = [];
  const stream = { isClosed: false };
  const connection = new MasterConnection(
    {
      send: ({ message }) => void sent.push(message),
      close: () => {
        stream.isClosed = true;
      },
    },
    MASTER,
    77,
    4,
  );
  return { connection, sent, stream };
}

const claimsOf = (...jobIds: number[]) =>
  jobIds.map(
    (jobId): DoneClaim => ({
      ...{ jobId, claim: 1, projected: true, status: STORED_STATUS.SUCCEEDED },
      ...{ at: 0, scheduledAt: 0, attempt: 1, failures: 0, lost: 0, endedAt: 0 },
    }),
  );

const idsOf = (claims: readonly DoneClaim[]) => claims.map(({ jobId }) => jobId);

test("an acknowledgement takes what was told up to it, once, and nothing that was told after it", () => {
  const { connection } = open();
  connection.done(claimsOf(1, 2));
  connection.done(claimsOf(3));
  connection.done(claimsOf(4));
  expect(idsOf(connection.acknowledged(0))).toEqual([]);
  expect(idsOf(connection.acknowledged(2))).toEqual([1, 2, 3]);
  expect(idsOf(connection.acknowledged(2))).toEqual([]);
  expect(idsOf(connection.acknowledged(3))).toEqual([4]);
});

test("a thousand claims go in one message; the messages are numbered from one on", () => {
  const { connection, sent } = open();
  connection.done(claimsOf(...Array.from({ length: 2_001 }, (_, index) => index + 1)));
  const told = sent.flatMap((message) => (message.case === "done" ? [message.value] : []));
  expect(told.map((done) => [done.sequence, doneClaimsOf(done).length])).toEqual([
    [1, 1_000],
    [2, 1_000],
    [3, 1],
  ]);
  connection.done([]);
  expect(sent).toHaveLength(3);
});

test("the first ping goes with the hello, and counts from when the stream was opened (G7)", () => {
  const { connection, sent } = open();
  connection.hello({ nodeId: "n1" });
  connection.ping(99);
  expect(sent).toMatchObject([
    { case: "hello", value: { nodeId: "n1" } },
    { case: "ping", value: { sentAtMs: 77 } },
    { case: "ping", value: { sentAtMs: 99 } },
  ]);
});

test("slots are offered on its stream, and its stream is closed", () => {
  const { connection, sent, stream } = open();
  connection.credit(create(CreditSchema, { slots: 4 }));
  expect([sent, stream.isClosed]).toMatchObject([[{ case: "credit", value: { slots: 4 } }], false]);
  connection.close();
  expect(stream.isClosed).toBe(true);
});
