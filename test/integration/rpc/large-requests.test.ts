/** Requests that are decoded in slices, over every protocol. */
import http from "node:http";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const TEXT = "x".repeat(40_000);

let node: TestNode;
let follower: TestNode;
beforeAll(async () => {
  node = await startNode();
  follower = await startNode({ role: { kind: "follower", master: node.asMaster } });
});
afterAll(stopNodes);

const payload = { kind: { case: "stringValue" as const, value: TEXT } };
const PROTOCOLS = [
  ["Connect, binary, HTTP/2", createConnectTransport, "2", true],
  ["Connect, binary, HTTP/1.1", createConnectTransport, "1.1", true],
  ["Connect, JSON, HTTP/2", createConnectTransport, "2", false],
  ["Connect, JSON, HTTP/1.1", createConnectTransport, "1.1", false],
  ["gRPC, binary", createGrpcTransport, "2", true],
  ["gRPC, JSON", createGrpcTransport, "2", false],
  ["gRPC-Web, binary", createGrpcWebTransport, "1.1", true],
] as const;

describe.each(PROTOCOLS)("over %s", (_, open, httpVersion, useBinaryFormat) => {
  describe.each(["", "gzip"])("%s", (encoding) => {
    test.each(["the master", "another node"])("at %s", async (where) => {
      const transport: Transport = open({
        baseUrl: where === "the master" ? node.url : follower.url,
        httpVersion,
        useBinaryFormat,
        ...(encoding !== "" && { sendCompression: compressionGzip }),
      });
      const client = createClient(JobService, transport);
      const specOf = (jobId: string) => node.api.jobs.get(Number(jobId))?.spec;

      const { jobId } = await client.addJob({ handler: "echo", payload });
      expect(specOf(jobId)).toMatchObject({ handler: "echo", payload: JSON.stringify(TEXT) });

      const small = { handler: "echo", name: "small" };
      const { outcomes } = await client.addJobs({
        jobs: [small, { handler: "echo", payload }, { handler: "" }],
      });
      const ids = outcomes.map(({ outcome }) => (outcome.case === "added" ? outcome.value.jobId : ""));
      expect(specOf(ids[0] ?? "")).toMatchObject({ name: "small", payload: null });
      expect(specOf(ids[1] ?? "")).toMatchObject({ payload: JSON.stringify(TEXT) });
      expect(outcomes[2]?.outcome.value).toMatchObject({ code: "invalid_argument" });

      await client.updateJob({
        jobId: ids[0] ?? "",
        job: { payload },
        updateMask: { paths: ["payload"] },
      });
      expect(specOf(ids[0] ?? "")).toMatchObject({ name: "small", payload: JSON.stringify(TEXT) });

      await expect(client.addJob({ handler: "", payload })).rejects.toThrow(/handler: is required/);
    });
  });
});

test("a large call without a length, in pieces, is answered job by job", async () => {
  const jobs = Array.from({ length: 2_000 }, (_, index) => ({
    handler: index % 2 ? "echo" : "",
    payload: index,
  }));
  const text = JSON.stringify({ jobs });
  const answer = await new Promise<string>((resolve, reject) => {
    const request = http.request(`${node.url}/elasticjob.v1.JobService/AddJobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    request.on("response", (response) => {
      Array.fromAsync(response).then((pieces) => resolve(Buffer.concat(pieces).toString()), reject);
    });
    request.on("error", reject);
    for (let at = 0; at < text.length; at += 7_000) request.write(text.slice(at, at + 7_000));
    request.end();
  });
  const { outcomes } = JSON.parse(answer) as { outcomes: { added?: { jobId: string }; failure?: object }[] };
  expect(outcomes).toHaveLength(2_000);
  expect(outcomes[0]).toMatchObject({ failure: { code: "invalid_argument" } });
  expect(node.api.jobs.get(Number(outcomes[1999]?.added?.jobId))?.spec.payload).toBe("1999");
});

test("while a large call is decoded, the loop turns many times", async () => {
  const jobs = Array.from({ length: 10_000 }, (_, index) => ({
    handler: "echo",
    name: `job ${index}`,
    payload: { text: "x".repeat(700) },
  }));
  let turns = 0;
  const held = Promise.withResolvers<void>();
  node.api.beforeAdd = async () => held.resolve();
  const adding = fetch(`${node.url}/elasticjob.v1.JobService/AddJobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jobs }),
  });
  let isDecoded = false;
  void held.promise.then(() => {
    isDecoded = true;
  });
  const startedAt = performance.now();
  let longest = 0;
  for (let last = startedAt; !isDecoded; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  node.api.beforeAdd = null;
  expect((await adding).status).toBe(200);
  expect(turns).toBeGreaterThan(10);
  // It is cut into slices, not only preceded by waiting.
  expect(longest).toBeLessThan((performance.now() - startedAt) / 2);
});
