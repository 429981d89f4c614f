/** What travels between master and nodes as a table comes out as what went in. */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Assignment, assignMessage, assignmentsOf } from "../../../src/coordination/assignment.ts";
import { type DoneClaim, doneClaimsOf, doneMessage } from "../../../src/coordination/done-claim.ts";
import { AssignSchema, DoneSchema } from "../../../src/gen/elasticjob/v1/node_service_pb.ts";

const count = fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const whole = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const wholeOrNull = fc.oneof(fc.constant(null), whole);
const text = fc.oneof(fc.constant(""), fc.string({ unit: "grapheme" }));

const assignment: fc.Arbitrary<Assignment> = fc.record({
  jobId: whole,
  claim: count,
  revision: count,
  attempt: count,
  failures: count,
  lost: count,
  name: text,
  handler: text,
  payload: text,
  scheduledAt: whole,
  timeoutMs: whole,
  slots: count,
  nextScheduledAt: wholeOrNull,
  nextDueAt: whole,
  lastRetryAt: wholeOrNull,
  retryDelayMs: wholeOrNull,
  placement: text,
  startAt: whole,
});

const doneClaim: fc.Arbitrary<DoneClaim> = fc.record({
  jobId: whole,
  claim: count,
  projected: fc.boolean(),
  status: count,
  at: whole,
  scheduledAt: whole,
  attempt: count,
  failures: count,
  lost: count,
  endedAt: whole,
});

test("assignments", () => {
  fc.assert(
    fc.property(fc.array(assignment), (rows) => {
      const sent = toBinary(AssignSchema, assignMessage(rows));
      expect(assignmentsOf(fromBinary(AssignSchema, sent))).toEqual(rows);
    }),
  );
});

test("ended claims", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.array(doneClaim), (sequence, rows) => {
      const sent = fromBinary(DoneSchema, toBinary(DoneSchema, doneMessage(sequence, rows)));
      expect(sent.sequence).toBe(sequence);
      expect(doneClaimsOf(sent)).toEqual(rows);
    }),
  );
});

test("what is the same for all takes no room in it", () => {
  const [row] = fc.sample(assignment, { numRuns: 1, seed: 1 });
  if (row === undefined) throw new Error("no sample");
  const usual = { ...row, name: "n", handler: "h", attempt: 1, slots: 1, lastRetryAt: null, startAt: 0 };
  const message = assignMessage([usual, { ...usual, jobId: 2 }]);
  expect(message).toMatchObject({ attempt: [], slots: [], lastRetryAt: [], startAt: [] });
  expect(message.text.filter((each) => each === "h")).toHaveLength(1);
});
