import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import { HandlerSchemasSchema } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { HandlerReader } from "../../../../src/master/control/handler-reader.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { KnownHandlers } from "../../../../src/master/nodes/known-handlers.ts";
import { KnownSchemas } from "../../../../src/master/nodes/known-schemas.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

let clock: ManualClock;
let nodes: ConnectedNodes;
let known: KnownHandlers;
let schemas: KnownSchemas;
let reader: HandlerReader;
beforeEach(() => {
  clock = new ManualClock();
  const context = masterContext({ clock });
  nodes = new ConnectedNodes();
  known = new KnownHandlers(context, nodes);
  schemas = new KnownSchemas(context, nodes);
  reader = new HandlerReader(context, { nodes, known, schemas });
});

function comes(nodeId: string, handlers: readonly string[], payload = "", runJob = false) {
  const schemasDigest = payload === "" ? "" : `${handlers} of ${payload}`;
  const { session } = sessionOf({
    incarnation: nodeId,
    nodeId,
    handlers: [...handlers],
    schemasDigest,
    runJob,
  });
  nodes.add(session, []);
  known.offered(session);
  schemas.offered(session);
  schemas.told(
    session,
    handlers.map((handler) => create(HandlerSchemasSchema, { handler, payload })),
  );
  return () => {
    nodes.remove(session);
    session.close();
    known.left(session);
    schemas.left(session);
  };
}

test("a handler has a form for each version that connected nodes have of it", () => {
  comes("b", ["greet"], "{1}");
  comes("a", ["greet", "mail"], "{1}");
  comes("c", ["greet"], "{2}");
  comes("d", ["greet"]);
  const now = reader.read("", 10).handlers[0]?.lastOffered;
  expect(reader.read("", 10)).toEqual({
    handlers: [
      {
        name: "greet",
        lastOffered: now,
        forms: [
          { payloadSchema: "{1}", outputSchema: "", nodes: 2, nodeIds: ["a", "b"] },
          { payloadSchema: "{2}", outputSchema: "", nodes: 1, nodeIds: ["c"] },
          { payloadSchema: "", outputSchema: "", nodes: 1, nodeIds: ["d"] },
        ],
      },
      {
        name: "mail",
        lastOffered: now,
        forms: [{ payloadSchema: "{1}", outputSchema: "", nodes: 1, nodeIds: ["a"] }],
      },
    ],
    hasMore: false,
  });
});

test("one that no connected node offers any more has no form, and when it was last offered", () => {
  const leave = comes("a", ["greet"], "{1}");
  const leftAt = reader.read("", 10).handlers[0]?.lastOffered ?? Number.NaN;
  leave();
  clock.move(5_000);
  expect(reader.read("", 10).handlers).toEqual([{ name: "greet", lastOffered: leftAt, forms: [] }]);
});

test("runJob stands for jobs of any handler", () => {
  comes("a", ["greet"], "", true);
  expect(reader.read("", 10).handlers.map(({ name, forms }) => [name, forms[0]?.nodeIds])).toEqual([
    ["greet", ["a"]],
    ["runJob", ["a"]],
  ]);
});

test("a page goes on after a name, and ends where it is full", () => {
  comes("a", ["a", "b", "c", "d"]);
  const names = (after: string, limit: number) => {
    const { handlers, hasMore } = reader.read(after, limit);
    return [handlers.map(({ name }) => name).join(""), hasMore];
  };
  expect(names("", 3)).toEqual(["abc", true]);
  expect(names("c", 3)).toEqual(["d", false]);
  expect(names("", 4)).toEqual(["abcd", false]);
  expect(names("d", 3)).toEqual(["", false]);
});

test("a page ends early where its schemas are large, and has one handler at least", () => {
  comes("a", ["a", "b", "c"], "x".repeat(300 * 1024));
  const { handlers, hasMore } = reader.read("", 100);
  expect([handlers.length, hasMore]).toEqual([2, true]);
});

test("of many nodes the first are named, and all are counted; of many versions ten are told", () => {
  for (let index = 0; index < 150; index++) comes(`n${String(index).padStart(3, "0")}`, ["greet"]);
  for (let index = 0; index < 12; index++) comes(`v${index}`, ["greet"], `{${index}}`);
  const [greet] = reader.read("", 1).handlers;
  expect(greet?.forms).toHaveLength(10);
  expect(greet?.forms[0]).toMatchObject({ nodes: 150 });
  expect(greet?.forms[0]?.nodeIds).toHaveLength(100);
  expect(greet?.forms[0]?.nodeIds.at(-1)).toBe("n099");
});
