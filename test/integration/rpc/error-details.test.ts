/** What errors say to programs: which field, and when to try again, in the form that each protocol has for it. */

import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient as createJobClient } from "../../../src/client/client.ts";
import { problemsOf } from "../../../src/client/error-problems.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { createEdge } from "../../../src/edge/app.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { BadRequestSchema, RetryInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.ts";
import { protoClient, type Unary } from "../../fixtures/proto-client.ts";
import { startNode } from "../../fixtures/rpc-node/start-node.ts";
import { type StoredCluster, startStoredCluster } from "../../fixtures/rpc-node/stored-cluster.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;

let cluster: StoredCluster;
beforeAll(async () => {
  cluster = await startStoredCluster();
});
afterAll(() => cluster.close());

const TRANSPORTS: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  "Connect in JSON": (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect in binary": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC in JSON": (baseUrl) => createGrpcTransport({ baseUrl, useBinaryFormat: false }),
  "gRPC-Web": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
};

async function refusalOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error(`not refused: ${error}`);
  return error;
}

function violationsIn(error: ConnectError) {
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description }) => [field, description]);
}

const WRONG = {
  handler: "echo",
  schedule: { case: "daily", value: { at: "25:61", timeZone: "Nowhere" } },
  priority: 1000,
} as const;
const WRONG_FIELDS = [
  ["daily.at", expect.stringContaining("is not a time of day")],
  ["daily.timeZone", expect.stringContaining("is not a known time zone")],
  ["priority", expect.stringContaining("from -100 to 100")],
];
const sorted = (violations: readonly string[][]) =>
  violations.toSorted((a, b) => `${a[0]}`.localeCompare(`${b[0]}`));

describe.each(Object.entries(TRANSPORTS))("over %s", (_, transport) => {
  test("an invalid argument has each field, at the master and at a node that asks it", async () => {
    for (const { url } of [cluster.node, cluster.follower]) {
      const jobs = createClient(JobService, transport(url));
      const error = await refusalOf(jobs.addJob(WRONG));
      expect(error.code).toBe(Code.InvalidArgument);
      expect(sorted(violationsIn(error))).toEqual(WRONG_FIELDS);
      const update = await refusalOf(jobs.updateJob({ jobId: "x", job: {} }));
      expect(violationsIn(update)).toEqual([["jobId", expect.stringContaining('"x"')]]);
    }
  });

  test("a job of several that is refused has its fields beside its message", async () => {
    for (const { url } of [cluster.node, cluster.follower]) {
      const { outcomes } = await createClient(JobService, transport(url)).addJobs({
        jobs: [WRONG, { handler: "echo", allowUnknownHandler: true }],
      });
      const [refused, added] = outcomes.map(({ outcome }) => outcome);
      if (refused?.case !== "failure") throw new Error("it was added");
      const found = refused.value.problems.map(({ field, message }) => [field, message]);
      expect(sorted(found)).toEqual(WRONG_FIELDS);
      expect(added?.case).toBe("added");
    }
  });

  test("what is unavailable says when to try again", async () => {
    const alone = await startNode({ role: { kind: "none" }, limits: { defaultWaitMs: 50, maxWaitMs: 50 } });
    const error = await refusalOf(
      createClient(JobService, transport(alone.url)).getJobStatus({ jobId: "1" }),
    );
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(RetryInfoSchema)).toMatchObject([
      { retryDelay: { seconds: 0n, nanos: 500_000_000 } },
    ]);
  });

  test("what there is no room for says when to try again", async () => {
    const full = await startNode({ limits: { budgetBytes: 1 } });
    const error = await refusalOf(createClient(JobService, transport(full.url)).getJobStatus({ jobId: "1" }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
  });
});

describe("JSON that no message can be made of", () => {
  const post = async (url: string, body: string | Uint8Array<ArrayBuffer>, type = "application/json") => {
    const response = await fetch(`${url}/elasticjob.v1.JobService/AddJob`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    return (await response.json()) as { details?: { type: string; value: string; debug: unknown }[] };
  };

  test("has each field that is wrong, in words for people as well", async () => {
    const { details } = await post(cluster.node.url, '{"handler": 1, "priority": 1.5, "what": 2}');
    const fieldViolations = ["handler", "priority", "what"].map((field) => ({
      field,
      description: expect.stringContaining("accepted"),
    }));
    expect(details).toEqual([
      { type: "google.rpc.BadRequest", value: expect.any(String), debug: { fieldViolations } },
    ]);
  });

  test.each([
    ["text that is no JSON", "{", "application/json"],
    ["a list", "[]", "application/json"],
    ["bytes that are no message", new Uint8Array([255, 255]), "application/proto"],
  ])("%s is about the request as a whole", async (_, body, type) => {
    const { details } = await post(cluster.node.url, body, type);
    expect(details?.[0]?.debug).toEqual({
      fieldViolations: [{ description: expect.stringContaining("the body") }],
    });
  });

  test("a large body has them as a small one has", async () => {
    const large = { handler: 1, payload: "x".repeat(100_000), what: 2 };
    const { details } = await post(cluster.node.url, JSON.stringify(large));
    expect(details?.[0]?.debug).toMatchObject({ fieldViolations: [{ field: "handler" }, { field: "what" }] });
  });

  test("the edge passes them on", async () => {
    const edge = createEdge({ upstreams: [cluster.node.url], allowedOrigins: [], isOpen: true });
    const headers = { "content-type": "application/json" };
    const refused = await edge.request("/JobService/AddJob", {
      method: "POST",
      headers,
      body: '{"priority": 1.5}',
    });
    expect(await refused.json()).toMatchObject({
      details: [{ debug: { fieldViolations: [{ field: "priority" }] } }],
    });
  });

  test("an edge whose calls are as many as it takes says when to try again", async () => {
    const edge = createEdge({ upstreams: [cluster.node.url], allowedOrigins: [], isOpen: true, maxCalls: 0 });
    const refused = await edge.request("/JobService/AddJob", { method: "POST", body: "{}" });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({
      details: [{ type: "google.rpc.RetryInfo", debug: { retryDelay: "1s" } }],
    });
  });
});

test("trailers stay within what clients of gRPC take, at the cost of details", async () => {
  const address = cluster.node.address;
  const client = protoClient<{ AddJob: Unary<unknown> }>(ROOT, address);
  const refused = (labels: number) =>
    new Promise<grpc.ServiceError>((resolve, reject) => {
      const names = Array.from({ length: labels }, (_, n) => [`${"l".repeat(60)} ${n}`, "x"]);
      const request = { handler: "echo", requirements: { labels: Object.fromEntries(names) } };
      client.AddJob(request, new grpc.Metadata(), { deadline: Date.now() + 5_000 }, (error) =>
        error === null ? reject(new Error("it was added")) : resolve(error),
      );
    });
  const few = await refused(2);
  expect(few.metadata.get("grpc-status-details-bin")).toHaveLength(1);
  const many = await refused(40);
  expect(many.code).toBe(grpc.status.INVALID_ARGUMENT);
  expect(many.metadata.get("grpc-status-details-bin")).toHaveLength(0);
  client.close();
});

describe("the client", () => {
  const clients = {
    "over HTTP/1.1": () => createJobClient({ baseUrl: cluster.follower.url }),
    "over HTTP/2": () => createJobClient({ transport: createHttp2Transport(cluster.node.url) }),
  };
  test.each(Object.entries(clients))("%s has what is wrong with each field", async (_, connect) => {
    const client = connect();
    const add = { handler: "echo", daily: { at: "25:61", timeZone: "Nowhere" }, priority: 1000 };
    const found = problemsOf(await refusalOf(client.addJob(add)));
    expect(sorted(found.map(({ field, message }) => [field, message]))).toEqual(WRONG_FIELDS);
    const [outcome] = await client.addJobs([add]);
    if (outcome === undefined || "added" in outcome) throw new Error("it was added");
    expect(problemsOf(outcome.error)).toHaveLength(3);
    expect(problemsOf(await refusalOf(client.getJobStatus("x")))).toMatchObject([{ field: "jobId" }]);
  });

  test("has the same of what it refuses itself, and nothing of what is about no field", async () => {
    const client = createJobClient({ baseUrl: cluster.node.url });
    const own = await refusalOf(client.addJob({ handler: "echo", priority: 1.5 }));
    expect(problemsOf(own)).toMatchObject([{ field: "priority" }]);
    expect(problemsOf(await refusalOf(client.getJobStatus("999999")))).toEqual([]);
    expect(problemsOf(new Error("another one"))).toEqual([]);
  });
});
