/** A refusal names the field and what would be accepted, and is short, however large what was sent. */
import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEdge } from "../../../src/edge/app.ts";
import { ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const MEGABYTE = "x".repeat(1_000_000);
const MOST_CHARACTERS = 500;

let node: TestNode;
beforeAll(async () => {
  node = await startNode();
});
afterAll(stopNodes);

type Request = { readonly [name: string]: JsonValue };

/** What a field of a request is given, by its path: all else that the message needs is left out. */
function* hostile(desc: DescMessage, depth = 0): Generator<readonly [path: string, request: Request]> {
  yield [MEGABYTE, { [MEGABYTE]: 1 }];
  for (const field of desc.fields) {
    const { jsonName } = field;
    for (const value of valuesFor(field)) yield [jsonName, { [jsonName]: value }];
    if (field.message === undefined || field.message.typeName.startsWith("google.") || depth > 2) continue;
    for (const [path, inner] of hostile(field.message, depth + 1)) {
      const value: JsonValue = field.fieldKind === "list" ? [{ ...inner }] : { ...inner };
      yield [`${jsonName}.${path}`, { [jsonName]: value }];
    }
  }
}

function valuesFor(field: DescField): JsonValue[] {
  const values: JsonValue[] = [MEGABYTE, [MEGABYTE], { [MEGABYTE]: MEGABYTE }, 1.5, -1e300];
  return field.fieldKind === "list" ? [...values, [[MEGABYTE]], [{ [MEGABYTE]: 1 }]] : values;
}

const METHODS = [...JobService.methods, ...ClusterService.methods].filter(
  ({ methodKind }) => methodKind === "unary",
);

describe.each(METHODS)("$name", (method) => {
  test("refuses a megabyte in any field shortly", async () => {
    const path = `${node.url}/${method.parent.typeName}/${method.name}`;
    const bad: string[] = [];
    for (const [field, request] of hostile(method.input)) {
      const complete = method.name === "AddJob" && !("handler" in request) ? { handler: "echo" } : {};
      const response = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...complete, ...request }),
      });
      const text = await response.text();
      if (response.ok) continue;
      const { code, message } = JSON.parse(text) as { code: string; message: string };
      const about = `${method.name}, ${field.slice(0, 60)}: ${code}, ${message.slice(0, 200)}`;
      if (response.status >= 500 || message.length > MOST_CHARACTERS) bad.push(about);
    }
    expect(bad).toEqual([]);
  });
});

test("headers that callers choose are not echoed whole", async () => {
  const edge = createEdge({ upstreams: [node.url], allowedOrigins: [], isOpen: true });
  const call = (headers: Record<string, string>, path = "/JobService/AddJob") =>
    edge.fetch(new Request(`http://edge${path}`, { method: "POST", headers, body: '{"handler":"echo"}' }));
  for (const answer of [
    await call({ origin: `https://${MEGABYTE}` }),
    await call({}, `/${MEGABYTE}`),
    await call({ "content-type": `a/${MEGABYTE}` }),
    await call({ "idempotency-key": MEGABYTE.slice(0, 10_000) }),
  ]) {
    const { message } = (await answer.json()) as { message: string };
    expect(message.length).toBeLessThanOrEqual(MOST_CHARACTERS);
  }
});
