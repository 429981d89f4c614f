import { expect, test } from "vitest";
import type { JobClass } from "../../../../src/core/job.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

const classOf = (id: number, handler: string, labels: Record<string, string> = {}): JobClass => ({
  id,
  handler,
  labels,
});
const ECHO = classOf(1, "echo");
const GPU = classOf(2, "echo", { gpu: "true" });

test("a node can take the classes whose handler it offers and whose labels it carries", () => {
  const nodes = new ConnectedNodes();
  const plain = sessionOf({ incarnation: "1", nodeId: "plain", handlers: ["echo"] }).session;
  const gpu = sessionOf({ incarnation: "2", nodeId: "gpu", runJob: true, labels: { gpu: "true" } }).session;
  nodes.add(plain, [ECHO, GPU]);
  nodes.add(gpu, [ECHO, GPU]);
  expect(nodes.candidates(1)).toEqual([plain, gpu]);
  expect(nodes.candidates(2)).toEqual([gpu]);
  expect(nodes.presentClasses()).toEqual(new Set([1, 2]));
});

test("who can take a class is looked at again when a class, or a node, comes or goes", () => {
  const nodes = new ConnectedNodes();
  expect(nodes.candidates(1)).toEqual([]);
  const { session } = sessionOf({ handlers: ["echo"] });
  nodes.add(session, []);
  expect(nodes.candidates(1)).toEqual([]);
  nodes.classAdded(ECHO);
  expect(nodes.candidates(1)).toEqual([session]);
  nodes.remove(session);
  expect(nodes.candidates(1)).toEqual([]);
});

test("a new stream of a process takes the place of its older one, whose end is nobody's then", () => {
  const nodes = new ConnectedNodes();
  const [older, newer] = [sessionOf().session, sessionOf().session];
  nodes.add(older, [ECHO]);
  nodes.add(newer, [ECHO]);
  expect(nodes.all()).toEqual([newer]);
  expect(nodes.remove(older)).toBe(false);
  expect(nodes.of("a process")).toBe(newer);
  expect(nodes.remove(newer)).toBe(true);
  expect(nodes.remove(newer)).toBe(false);
});

test("nodes of one name are found by it; a name that nobody has is refused, with those that there are", () => {
  const nodes = new ConnectedNodes();
  expect(() => nodes.named("a")).toThrow('nodeId: no node "a" is connected (connected: none)');
  const sessions = ["1", "2"].map((incarnation) => sessionOf({ incarnation, nodeId: "b" }).session);
  for (const session of [...sessions, sessionOf({ incarnation: "3", nodeId: "a" }).session])
    nodes.add(session, []);
  expect(nodes.named("b")).toEqual(sessions);
  expect(() => nodes.named("c")).toThrow('nodeId: no node "c" is connected (connected: a, b, b)');
});
