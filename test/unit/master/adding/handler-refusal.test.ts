import { expect, test } from "vitest";
import { handlerRefusal } from "../../../../src/master/adding/handler-refusal.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

const LEASE_MS = 6_000;

function start({ embedded = false, offered = [["echo", "work"], ["work"]] } = {}) {
  const clock = new ManualClock();
  const nodes = new ConnectedNodes();
  for (const [index, handlers] of offered.entries())
    nodes.add(sessionOf({ incarnation: `${index}`, handlers }).session, []);
  const refusal = handlerRefusal(masterContext({ clock, settings: { embedded, leaseMs: LEASE_MS } }), nodes);
  return { clock, nodes, refusalOf: (handler: string) => refusal(specOf({ handler }))?.message ?? null };
}

test("a handler that no connected node offers is refused, with what they offer", () => {
  const { clock, refusalOf } = start();
  clock.move(LEASE_MS);
  expect(refusalOf("echo")).toBeNull();
  expect(refusalOf("unknown")).toBe('handler: no connected node offers "unknown" (offered: echo, work)');
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
  none.nodes.add(sessionOf({ runJob: true }).session, []);
  expect(none.refusalOf("unknown")).toBeNull();
});
