import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { standingMessage } from "../../../../src/coordination/standing.ts";
import {
  ClaimVerdictSchema,
  CreditSchema,
  Verdict,
} from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { assignmentOf } from "../../../fixtures/assignment-fixture.ts";
import { NOW } from "../../../fixtures/job-fixture.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

const credit = (draining: boolean) => create(CreditSchema, { slots: 4, freeMemoryMb: 1_000, draining });

test("a node has the slots that it offers, but for those that are placed", () => {
  const { session } = sessionOf();
  session.reserve(3);
  expect(session.freeSlots).toBe(1);
  session.unreserve(2);
  expect(session.freeSlots).toBe(3);
});

test("a node that drains, by its own word or because it was asked to, has no slots for anything", () => {
  const { session, sent } = sessionOf();
  session.credit(credit(true));
  expect(session.freeSlots).toBe(0);
  session.credit(credit(false));
  expect(session.freeSlots).toBe(4);

  session.drain();
  expect(sent.at(-1)?.message.case).toBe("drain");
  expect(session.freeSlots).toBe(0);
  // It was sent before the node had heard of that.
  session.credit(credit(false));
  expect([session.draining, session.freeSlots]).toEqual([true, 0]);

  session.undrain();
  expect(sent.at(-1)?.message.case).toBe("undrain");
  expect(session.freeSlots).toBe(0);
  session.credit(credit(false));
  expect(session.freeSlots).toBe(4);
});

test("a stream that is closed has no slots, and is closed for its node, too", () => {
  const { session, stream } = sessionOf();
  expect([session.isOpen, session.freeSlots, stream.closes]).toEqual([true, 4, 0]);
  session.close();
  expect([session.isOpen, session.freeSlots, stream.closes]).toEqual([false, 0, 1]);
});

test("all that a node is told goes on its stream", () => {
  const { session, sent } = sessionOf();
  session.welcome(3, NOW, 6_000);
  session.pong(77, NOW + 1);
  session.assign([assignmentOf({ jobId: 5, claim: 2 })]);
  session.verdicts([create(ClaimVerdictSchema, { jobId: 5, claim: 2, verdict: Verdict.ABORT })]);
  session.acknowledge(9);
  session.send(standingMessage(null));
  expect(sent.map(({ message }) => message)).toMatchObject([
    { case: "welcome", value: { epoch: 3, nodeNumber: 1, clusterTimeMs: NOW, leaseMs: 6_000 } },
    { case: "pong", value: { sentAtMs: 77, clusterTimeMs: NOW + 1 } },
    { case: "assign", value: { jobId: [5], claim: [2] } },
    { case: "verdicts", value: { claims: [{ jobId: 5, claim: 2, verdict: Verdict.ABORT }] } },
    { case: "doneAck", value: { sequence: 9 } },
    { case: "standing", value: { waitsFor: "" } },
  ]);
});
