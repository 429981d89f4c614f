import { expect, test } from "vitest";
import { handlerRefusal } from "../../../../src/master/adding/handler-refusal.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { KnownHandlers } from "../../../../src/master/nodes/known-handlers.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

const LEASE_MS = 6_000;
const WAITS = "With allowUnknownHandler it waits for one that does";

function start({ embedded = false, offered = [["echo", "work"], ["work"]], runJob = false } = {}) {
  const clock = new ManualClock();
  const nodes = new ConnectedNodes();
  const context = masterContext({ clock, settings: { embedded, leaseMs: LEASE_MS } });
  const known = new KnownHandlers(context, nodes);
  const add = (hello: Parameters<typeof sessionOf>[0]) => {
    const { session } = sessionOf(hello);
    nodes.add(session, []);
    known.offered(session);
    return session;
  };
  const sessions = offered.map((handlers, index) => add({ incarnation: `${index}`, handlers, runJob }));
  const refusal = handlerRefusal(context, nodes, known);
  return {
    clock,
    add,
    goes(place: number): void {
      const session = sessions[place];
      if (session === undefined) return;
      nodes.remove(session);
      known.left(session);
    },
    refusalOf: (handler: string, allows = false) =>
      refusal(specOf({ handler, ...(allows && { allowsUnknownHandler: true }) }))?.message ?? null,
  };
}

test("a handler that no node has ever offered is refused, with what they offer", () => {
  const { clock, refusalOf } = start();
  clock.move(LEASE_MS);
  expect(refusalOf("echo")).toBeNull();
  expect(refusalOf("unknown")).toBe(
    `handler: no connected node offers "unknown" (offered: echo, work), and none has before; ${WAITS}`,
  );
});

test("a name that is nearly one that is known is refused with that", () => {
  const { clock, refusalOf, goes } = start({ offered: [["echo"], ["send-mail"]] });
  clock.move(LEASE_MS);
  goes(1);
  expect(refusalOf("ecko")).toContain('; did you mean "echo"? ');
  expect(refusalOf("Send-mails")).toContain('; did you mean "send-mail"? ');
  expect(refusalOf("resize-image")).not.toContain("did you mean");
});

test("a call that names thousands of wrong handlers has the nearest of the first alone", () => {
  const { clock, refusalOf } = start({ offered: [["a-rather-long-name"]] });
  clock.move(LEASE_MS);
  const names = Array.from({ length: 100 }, (_, index) => `a-rather-long-nam${index}`);
  const near = () => names.map((name) => refusalOf(name)?.includes("did you"));
  expect(near().filter(Boolean)).toHaveLength(20);
  clock.move(1_000);
  expect(near().filter(Boolean)).toHaveLength(20);
});

test("a handler that a node has offered before is accepted, also when that has gone", () => {
  const { clock, refusalOf, goes } = start({ offered: [["echo"], ["work"]] });
  clock.move(LEASE_MS);
  goes(1);
  expect(refusalOf("work")).toBeNull();
  expect(refusalOf("unknown")).not.toBeNull();
});

test("what a node has taken that takes all is accepted when it has gone", () => {
  const { clock, add, refusalOf, goes } = start({ offered: [["echo"]], runJob: true });
  clock.move(LEASE_MS);
  add({ incarnation: "other", handlers: ["echo"] });
  goes(0);
  expect(refusalOf("whatever")).toBeNull();
});

test("one that nobody has offered is accepted when its caller says so", () => {
  const { clock, refusalOf } = start();
  clock.move(LEASE_MS);
  expect(refusalOf("unknown", true)).toBeNull();
});

test("nothing is refused before all nodes have had a lease's time to report to a new master", () => {
  const { clock, refusalOf } = start();
  clock.move(LEASE_MS - 1);
  expect(refusalOf("unknown")).toBeNull();
  clock.move(1);
  expect(refusalOf("unknown")).not.toBeNull();
});

test("a process that is alone waits for no other", () => {
  expect(start({ embedded: true }).refusalOf("unknown")).not.toBeNull();
});

test("nothing is refused while no node is connected, or one takes whatever has no handler of its own", () => {
  const none = start({ embedded: true, offered: [] });
  expect(none.refusalOf("unknown")).toBeNull();
  none.add({ runJob: true });
  expect(none.refusalOf("unknown")).toBeNull();
});

test("the list of what is offered is short", () => {
  const many = Array.from({ length: 1000 }, (_, index) => `handler-${index}`);
  const { refusalOf } = start({ embedded: true, offered: [many] });
  expect(refusalOf("x")?.length).toBeLessThan(400);
});
