import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CreditSchema } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
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

test("a stream that is closed has no slots", () => {
  const { session } = sessionOf();
  session.close();
  expect([session.isOpen, session.freeSlots]).toEqual([false, 0]);
});
