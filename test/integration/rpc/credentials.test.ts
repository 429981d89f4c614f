/** Who may call a node, in every protocol. */
import http from "node:http";
import { Code, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operators } from "../../../src/core/callers/api-tokens.ts";
import { ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import type { Credentials } from "../../../src/rpc/credentials.ts";
import { secretsOf } from "../../fixtures/rpc-node/secrets.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const TOKEN = "an-api-token-of-somebody";
const SECRET = "the-secret-of-all-nodes";
const CREDENTIALS: Credentials = { tokens: () => operators(["another-api-token", TOKEN]), isOpen: false };

let node: TestNode;
let follower: TestNode;
beforeAll(async () => {
  node = await startNode({ credentials: CREDENTIALS, secrets: secretsOf(SECRET) });
  follower = await startNode({
    credentials: CREDENTIALS,
    secrets: secretsOf(SECRET),
    role: { kind: "follower", master: node.asMaster },
  });
});
afterAll(() => stopNodes());

const sending = (headers: Record<string, string>): { interceptors: Interceptor[] } => ({
  interceptors: [
    (next) => (request) => {
      for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
      return next(request);
    },
  ],
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

type Open = (headers: Record<string, string>) => Transport;
const protocols: [string, Open][] = [
  [
    "Connect over HTTP/1.1",
    (h) => createConnectTransport({ baseUrl: node.url, httpVersion: "1.1", ...sending(h) }),
  ],
  [
    "Connect over HTTP/2",
    (h) => createConnectTransport({ baseUrl: node.url, httpVersion: "2", ...sending(h) }),
  ],
  [
    "Connect with JSON",
    (h) =>
      createConnectTransport({
        baseUrl: node.url,
        httpVersion: "1.1",
        useBinaryFormat: false,
        ...sending(h),
      }),
  ],
  ["gRPC", (h) => createGrpcTransport({ baseUrl: node.url, ...sending(h) })],
  ["gRPC-Web", (h) => createGrpcWebTransport({ baseUrl: node.url, httpVersion: "1.1", ...sending(h) })],
];

describe.each(protocols)("%s", (_, open) => {
  const unauthenticated = { code: Code.Unauthenticated, rawMessage: expect.stringContaining("API token") };

  test("asks for an API token, for calls and streams", async () => {
    for (const headers of [{}, bearer("wrong"), { authorization: TOKEN }]) {
      const jobs = createClient(JobService, open(headers as Record<string, string>));
      await expect(jobs.addJob({ handler: "echo" })).rejects.toMatchObject(unauthenticated);
      const watching = jobs.watchJob({ jobId: "1" })[Symbol.asyncIterator]();
      await expect(watching.next()).rejects.toMatchObject(unauthenticated);
      const cluster = createClient(ClusterService, open(headers as Record<string, string>));
      await expect(cluster.getCluster({})).rejects.toMatchObject(unauthenticated);
    }
    const jobs = createClient(JobService, open(bearer(TOKEN)));
    expect(await jobs.addJob({ handler: "echo" })).toMatchObject({ created: true });
  });

  test("opens what is between nodes to no one who has a token, or only the secret itself", async () => {
    for (const headers of [{}, bearer(TOKEN), bearer(SECRET)]) {
      const nodes = createClient(NodeService, open(headers as Record<string, string>));
      await expect(nodes.identify({})).rejects.toMatchObject({
        code: Code.Unauthenticated,
        rawMessage: expect.stringContaining("prove"),
      });
      await expect(nodes.explainPrepared({})).rejects.toMatchObject({ code: Code.Unauthenticated });
      const jobs = createClient(JobService, open({ ...headers, "elastic-job-forwarded": "1" }));
      await expect(jobs.addJob({ handler: "echo" })).rejects.toMatchObject({ code: Code.Unauthenticated });
    }
  });

  test("takes the secret of the nodes for no API token", async () => {
    const jobs = createClient(JobService, open(bearer(SECRET)));
    await expect(jobs.addJob({ handler: "echo" })).rejects.toMatchObject(unauthenticated);
  });
});

test("a node proves itself when it forwards a call, and the caller's token ends there", async () => {
  const options = { baseUrl: follower.url, httpVersion: "2" as const, ...sending(bearer(TOKEN)) };
  const jobs = createClient(JobService, createConnectTransport(options));
  const { jobId } = await jobs.addJob({ handler: "echo" });
  expect(await jobs.getJobStatus({ jobId })).toMatchObject({ job: { jobId } });
});

test("a node says that the master is none of its own, rather than that the caller is unknown", async () => {
  const stranger = await startNode({
    credentials: CREDENTIALS,
    secrets: secretsOf("not-the-secret-of-all"),
    role: { kind: "follower", master: node.asMaster },
  });
  const options = { baseUrl: stranger.url, httpVersion: "2" as const, ...sending(bearer(TOKEN)) };
  const jobs = createClient(JobService, createConnectTransport(options));
  await expect(jobs.getJobStatus({ jobId: "1" }, { timeoutMs: 500 })).rejects.toMatchObject({
    code: Code.Unavailable,
    rawMessage: expect.stringContaining("CLUSTER_SECRET"),
  });
});

test("without tokens, a node answers callers of this machine by its names, and no page and nobody through a proxy", async () => {
  const closed = await startNode();
  const ask = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const options = { method: "POST", headers: { "content-type": "application/json", ...headers } };
      http
        .request(`${closed.url}/elasticjob.v1.JobService/GetAllJobs`, options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
        .on("error", reject)
        .end("{}");
    });
  expect(await ask({ host: `localhost:${closed.port}` })).toBe(200);
  // A name of somebody else's that leads here, and a proxy on this machine.
  expect(await ask({ host: "rebound.example" })).toBe(401);
  expect(await ask({ "x-forwarded-for": "10.0.0.9" })).toBe(401);
  expect(await ask({ origin: "https://evil.example" })).toBe(403);
  expect(await ask({ "sec-fetch-site": "cross-site" })).toBe(403);
  const open = await startNode({ credentials: { tokens: () => [], isOpen: true } });
  const jobs = createClient(
    JobService,
    createConnectTransport({ baseUrl: open.url, httpVersion: "2", ...sending({ via: "1.1 a" }) }),
  );
  expect(await jobs.addJob({ handler: "echo" })).toMatchObject({ created: true });
});

test("a body is not read before its caller is known", async () => {
  const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJob`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{ this is no JSON",
  });
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ code: "unauthenticated" });
  expect(response.headers.get("www-authenticate")).toBe("Bearer");
});

describe("probes", () => {
  const status = async (one: TestNode, path: string) => (await fetch(one.url + path)).status;

  test("are answered without a token", async () => {
    expect(await status(node, "/healthz")).toBe(200);
    expect(await status(node, "/readyz")).toBe(200);
    expect(await status(follower, "/readyz?from=kubernetes")).toBe(200);
    expect(await status(node, "/other")).toBe(404);
  });

  test("say that a node without a master is up, but not ready", async () => {
    const lone = await startNode({ role: { kind: "none" } });
    expect(await status(lone, "/healthz")).toBe(200);
    expect(await status(lone, "/readyz")).toBe(503);
  });
});
