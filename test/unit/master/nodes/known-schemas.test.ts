import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import { HandlerSchemasSchema } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { KnownSchemas } from "../../../../src/master/nodes/known-schemas.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const logger = recordingLogger();
let nodes: ConnectedNodes;
let schemas: KnownSchemas;
beforeEach(() => {
  nodes = new ConnectedNodes();
  schemas = new KnownSchemas({ logger }, nodes);
});

/** A node with the module of this digest. */
function comes(incarnation: string, schemasDigest: string) {
  const { session, sent } = sessionOf({
    incarnation,
    nodeId: incarnation,
    schemasDigest,
    handlers: ["greet"],
  });
  nodes.add(session, []);
  schemas.offered(session);
  return {
    session,
    asked: () => sent.filter(({ message }) => message.case === "schemasWanted").length,
    tells: (payload: string) =>
      schemas.told(session, [create(HandlerSchemasSchema, { handler: "greet", payload })]),
    leaves() {
      nodes.remove(session);
      session.close();
      schemas.left(session);
    },
  };
}

test("one of the nodes with the same schemas is asked, and what it tells counts for all", () => {
  const [first, second, other] = [comes("1", "a"), comes("2", "a"), comes("3", "b")];
  expect([first.asked(), second.asked(), other.asked()]).toEqual([1, 0, 1]);
  first.tells("{}");
  const third = comes("4", "a");
  expect(third.asked()).toBe(0);
  for (const { session } of [first, second, third]) expect(schemas.of(session, "greet")?.payload).toBe("{}");
  expect(schemas.of(first.session, "other")).toBeUndefined();
  expect(schemas.of(other.session, "greet")).toBeUndefined();
});

test("a node without schemas is not asked", () => {
  expect(comes("1", "").asked()).toBe(0);
});

test("when the one that was asked goes without an answer, another is asked", () => {
  const [first, second] = [comes("1", "a"), comes("2", "a")];
  first.leaves();
  expect(second.asked()).toBe(1);
  second.tells("{}");
  expect(schemas.of(second.session, "greet")?.payload).toBe("{}");
});

test("a stream of the same process in the place of the one that was asked is asked", () => {
  const first = comes("1", "a");
  first.session.close();
  expect(comes("1", "a").asked()).toBe(1);
});

test("what was told goes with the last node that has it", () => {
  const [first, second] = [comes("1", "a"), comes("2", "a")];
  first.tells("{}");
  first.leaves();
  expect(schemas.of(second.session, "greet")?.payload).toBe("{}");
  second.leaves();
  expect(comes("3", "a").asked()).toBe(1);
});

test("what nobody asked for is not taken", () => {
  const [first, second] = [comes("1", "a"), comes("2", "a")];
  second.tells('{"forged":1}');
  expect(schemas.of(first.session, "greet")).toBeUndefined();
});

test("beyond a bound nothing more is kept, and that is said", () => {
  const large = "x".repeat(4 * 1024 * 1024);
  const many = Array.from({ length: 17 }, (_, index) => comes(`n${index}`, `digest-${index}`));
  for (const node of many) node.tells(large);
  expect(many.filter(({ session }) => schemas.of(session, "greet") !== undefined)).toHaveLength(16);
  expect(logger.lines).toEqual([
    {
      level: "warn",
      message: "the schemas of a node are not kept: there are too many",
      fields: { nodeId: "n16", characters: large.length },
    },
  ]);
});
