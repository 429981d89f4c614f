import { createConnectTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { OUTCOME } from "../../../src/core/job.ts";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";
import { resultOf } from "../../fixtures/job-fixture.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const ID = 3889108265204450030n;

let node: TestNode;
let edge: RunningEdge;
beforeAll(async () => {
  node = await startNode();
  edge = await startEdge({
    upstreams: [node.url],
    allowedOrigins: [],
    isOpen: true,
    host: "127.0.0.1",
    port: 0,
  });
});
afterAll(async () => {
  await edge.close(0);
  await stopNodes();
});

const stored = (jobId: string) => node.api.jobs.get(Number(jobId))?.spec.payload;

const WAYS = {
  "JSON, through the edge": () => createConnectTransport({ baseUrl: edge.url }),
  "binary messages": () => createConnectTransport({ baseUrl: node.url, useBinaryFormat: true }),
  "a stream": () => createHttp2Transport(node.url),
};

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])("by %s", (way) => {
  const connect = () => createClient({ transport: WAYS[way](), random: () => 0 });

  test("a bigint goes in with all its digits, and comes out as text", async () => {
    const client = connect();
    const { jobId } = await client.addJob({ handler: "echo", payload: { id: ID, of: [1n, -0.5] } });
    const text = `{"id":${ID},"of":[1,-0.5]}`;
    expect(stored(jobId)).toBe(text);
    const { job } = await client.getJobStatus(jobId);
    expect(job.payloadJson).toBe(text);
    expect(job.payload).toEqual({ id: Number(ID), of: [1, -0.5] });
    const [first] = (await client.getAllJobs({ pageSize: 1 })).jobs;
    expect(first?.payloadJson).toBe(text);
  });

  test("payloadJson goes in as it is written, however deep", async () => {
    const client = connect();
    const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
    for (const payloadJson of ['{ "a": 1.50 }', deep]) {
      const { jobId } = await client.addJob({ handler: "echo", payloadJson });
      expect(stored(jobId)).toBe(payloadJson);
    }
    const job = await client.updateJob({ jobId: "1", job: { payload: [ID] } });
    expect(job.payloadJson).toBe(`[${ID}]`);
    await client.updateJob({ jobId: "1", job: { payloadJson: "[2]" }, updateMask: "payload" });
    expect(stored("1")).toBe("[2]");
  });

  test("what is exact has no text beside it", async () => {
    const client = connect();
    const { jobId } = await client.addJob({ handler: "echo", payload: { id: String(ID), n: 2 ** 53 } });
    const { job } = await client.getJobStatus(jobId);
    expect(job.payload).toEqual({ id: String(ID), n: 2 ** 53 });
    expect(job).not.toHaveProperty("payloadJson");
  });

  test("outputs come with all their digits", async () => {
    const client = connect();
    const { jobId } = await client.addJob({ handler: "echo" });
    const output = String.raw`{"id":${ID},"cut":"\ud83d"}`;
    node.list.results.push(resultOf({ jobId: Number(jobId), outcome: OUTCOME.SUCCEEDED, output }));
    const { results } = await client.getAllResult({ jobId });
    expect(results[0]?.outputJson).toBe(output);
    expect(results[0]?.output).toEqual({ id: Number(ID), cut: "\ud83d" });
  });

  test("what cannot be kept is refused", async () => {
    const client = connect();
    const refused = (job: object) => client.addJob({ handler: "echo", ...job }).then(() => "added", String);
    expect(await refused({ payload: 1, payloadJson: "1" })).toContain("payloadJson: is given beside payload");
    expect(await refused({ payloadJson: "" })).toContain('payloadJson: is ""; JSON text is accepted');
    expect(await refused({ payloadJson: 5 })).toContain("payloadJson: is 5; JSON text is accepted");
    expect(await refused({ payloadJson: '"\ud83d"' })).toContain("JSON text is accepted");
    expect(await refused({ payloadJson: "{" })).toContain("payloadJson: is not JSON");
    expect(await refused({ payload: ["\ud83d"] })).toContain("half of a surrogate pair");
    expect(await refused({ payloadJson: '{"a":1,"a":1}' })).toContain(
      "payloadJson: has a name twice in one object, at a;",
    );
  });
});

test("bytes that are not UTF-8 pass the edge as they are, and are refused with their offset", async () => {
  for (const path of ["/JobService/AddJob", "/elasticjob.v1.JobService/AddJob"]) {
    const body = Buffer.concat([
      Buffer.from('{"handler":"echo","payload":"'),
      Buffer.from([0xff, 0x22, 0x7d]),
    ]);
    const response = await fetch(`${edge.url}${path}`, { method: "POST", body });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      code: "invalid_argument",
      message: "the body: byte 29, 0xff, is not UTF-8; text in UTF-8 is accepted",
    });
  }
});
