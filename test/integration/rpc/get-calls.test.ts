/** What only reads can be called by GET, as Connect has it: at nodes and at the edge, and by nobody who may not call by POST. */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { create, toBinary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEdge } from "../../../src/edge/app.ts";
import { ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { GetJobStatusRequestSchema, JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const TOKEN = "a-token-for-tests-that-may-read";

let node: TestNode;
let guarded: TestNode;
let jobId: string;
beforeAll(async () => {
  node = await startNode();
  guarded = await startNode({
    credentials: { tokens: () => [{ name: "reader", role: "read", token: TOKEN }], isOpen: false },
  });
  ({ jobId } = await createClient(JobService, connect(node)).addJob({ handler: "echo" }));
});
afterAll(stopNodes);

const connect = ({ url }: TestNode, useHttpGet = false, useBinaryFormat = true) =>
  createConnectTransport({ baseUrl: url, httpVersion: "1.1", useHttpGet, useBinaryFormat });

type Ask = (method: string, query: string, headers?: Record<string, string>) => Promise<Response>;

/** `fetch` would say a Host of its own. */
const atNode =
  (of: () => TestNode): Ask =>
  async (method, query, headers = {}) => {
    const request = get(`${of().url}/elasticjob.v1.${method}?${query}`, { headers });
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    const head = { status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string> };
    return new Response(Buffer.concat(await answer.toArray()), head);
  };
const atEdge: Ask = (method, query, headers = {}) => {
  const edge = createEdge({ upstreams: [node.url], allowedOrigins: ["https://ops.example"] });
  const all = { host: "127.0.0.1:8080", ...headers };
  return Promise.resolve(edge.request(`/${method}?${query}`, { headers: all }, { remote: "127.0.0.1" }));
};

const json = (message: object) =>
  `connect=v1&encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;

test("each method that reads says so in the proto, and no other does", () => {
  const reads = [...JobService.methods, ...ClusterService.methods].filter(
    ({ idempotency }) => idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
  );
  const named = [...JobService.methods, ...ClusterService.methods].filter(({ name }) =>
    /^(Get|Preview|Watch)/.test(name),
  );
  expect(reads.map(({ name }) => name)).toEqual(named.map(({ name }) => name));
});

test.each([true, false])("Connect's own client reads by GET (binary: %s)", async (useBinaryFormat) => {
  const { job } = await createClient(JobService, connect(node, true, useBinaryFormat)).getJobStatus({
    jobId,
  });
  expect(job?.jobId).toBe(jobId);
});

describe.each<[string, Ask]>([
  ["a node", atNode(() => node)],
  ["the edge", atEdge],
])("%s", (_, ask) => {
  test("answers a GET as it answers a POST, and has it kept by nobody", async () => {
    const answer = await ask("JobService/GetJobStatus", json({ jobId }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({ job: { jobId, handler: "echo" } });
    const bytes = toBinary(GetJobStatusRequestSchema, create(GetJobStatusRequestSchema, { jobId }));
    const query = `encoding=proto&base64=1&message=${bytes.toBase64({ alphabet: "base64url" })}`;
    expect((await ask("JobService/GetJobStatus", query)).headers.get("content-type")).toBe(
      "application/proto",
    );
  });

  test("says by GET as well which fields are wrong", async () => {
    const answer = await ask("JobService/GetAllJobs", json({ pageSize: 1.5, bogus: 2 }));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({
      message: expect.stringMatching(/pageSize: .*bogus: is not known/),
      details: [{ debug: { fieldViolations: [{ field: "pageSize" }, { field: "bogus" }] } }],
    });
  });

  test.each(["", "message=%7B%7D", "encoding=xml&message=x"])(
    "tells what the query ?%s lacks",
    async (query) => {
      const answer = await ask("JobService/GetAllJobs", query);
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({
        message: expect.stringMatching(/^encoding: is .* is accepted/),
      });
    },
  );

  test("changes nothing by GET", async () => {
    const before = node.api.jobs.size;
    for (const method of ["AddJob", "DeleteJob", "TriggerJob"]) {
      const answer = await ask(`JobService/${method}`, json({ jobId, handler: "echo" }));
      expect(answer.status).toBe(405);
      expect(answer.headers.get("allow")).toContain("POST");
    }
    expect(node.api.jobs.size).toBe(before);
  });

  test.each<[string, number, Record<string, string>]>([
    ["a page elsewhere", 403, { origin: "https://evil.example" }],
    ["an image of a page elsewhere", 403, { "sec-fetch-site": "cross-site", "user-agent": "Mozilla/5.0" }],
    ["a page elsewhere, over plain HTTP", 403, { "user-agent": "Mozilla/5.0" }],
    ["a name of somebody's that leads here", 401, { host: "rebound.example" }],
    ["a proxy of this machine", 401, { "x-forwarded-for": "10.0.0.9" }],
  ])("does not answer %s", async (_who, status, headers) => {
    const answer = await ask("JobService/GetJobStatus", json({ jobId }), headers);
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain(jobId === "1" ? '"jobId"' : jobId);
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
  });
});

test("a page that is named reads by GET through the edge", async () => {
  const headers = { origin: "https://ops.example", "sec-fetch-site": "cross-site" };
  const answer = await atEdge("JobService/GetJobStatus", json({ jobId }), headers);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("access-control-allow-origin")).toBe("https://ops.example");
});

test("where there are tokens, a GET needs one that may read", async () => {
  const ask = atNode(() => guarded);
  expect((await ask("JobService/GetAllJobs", json({}))).status).toBe(401);
  const named = { authorization: `Bearer ${TOKEN}` };
  expect((await ask("JobService/GetAllJobs", json({}), named)).status).toBe(200);
});

test("a GET needs room beside the other calls, and a probe does not", async () => {
  const full = await startNode({ limits: { budgetBytes: 1 } });
  expect((await atNode(() => full)("JobService/GetAllJobs", json({}))).status).toBe(429);
  expect((await fetch(`${full.url}/healthz`)).status).toBe(200);
});
