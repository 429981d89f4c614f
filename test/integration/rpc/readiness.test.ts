/** A node that would not answer an add says so and why, to probes, operators, and callers that ran out of time. */
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { createClient as createTypedClient } from "../../../src/client/client.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { operators } from "../../../src/core/callers/api-tokens.ts";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../src/gen/grpc/health/v1/health_pb.ts";
import { within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

const WHY = "MySQL has not answered for 3.2 s";
const JOB_SERVICE = "elasticjob.v1.JobService";
const TIMEOUT_MS = 2_000;

afterEach(stopNodes);

const http2 = (node: TestNode) => createConnectTransport({ baseUrl: node.url, httpVersion: "2" });
const never = () => new Promise<never>(() => {});

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => ConnectError.from(error),
  );
}

describe("/readyz", () => {
  const read = async (node: TestNode, path: string) => {
    const answer = await fetch(node.url + path);
    return [answer.status, await answer.text()];
  };

  test("is 503 with the reason while there is one, and /healthz is 200 all along", async () => {
    const node = await startNode();
    expect(await read(node, "/readyz")).toEqual([200, "ready: master\n"]);
    node.setNotReady(WHY);
    expect(await read(node, "/readyz")).toEqual([503, JSON.stringify({ code: "unavailable", message: WHY })]);
    expect(await read(node, "/healthz")).toEqual([200, "ok\n"]);
    node.setNotReady(null);
    expect(await read(node, "/readyz")).toEqual([200, "ready: master\n"]);
  });
});

describe("GetCluster", () => {
  test("has the master's reason, also through another node", async () => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    const cluster = createClient(ClusterService, http2(follower));
    expect((await cluster.getCluster({})).notReady).toBe("");
    master.setNotReady(WHY);
    expect((await cluster.getCluster({})).notReady).toBe(WHY);
  });
});

describe("a call that runs out of time", () => {
  const protocols: [string, (node: TestNode) => Transport][] = [
    ["Connect over HTTP/1.1", ({ url }) => createConnectTransport({ baseUrl: url, httpVersion: "1.1" })],
    ["Connect over HTTP/2", http2],
    ["gRPC", ({ url }) => createGrpcTransport({ baseUrl: url })],
    ["gRPC-Web", ({ url }) => createGrpcWebTransport({ baseUrl: url, httpVersion: "2" })],
  ];

  test.each(protocols)("hears why before its caller gives up, over %s", async (_, transportTo) => {
    const node = await startNode();
    const jobs = createClient(JobService, transportTo(node));
    // Else its connection would be opened within that time, too.
    await jobs.addJob({ handler: "echo" });
    node.setNotReady(WHY);
    node.api.beforeAdd = never;
    expect(await errorOf(jobs.addJob({ handler: "echo" }, { timeoutMs: TIMEOUT_MS }))).toMatchObject({
      isWireError: true,
      code: Code.DeadlineExceeded,
      rawMessage: expect.stringContaining(`(${WHY})`),
    });
  });

  test("whatever it waits for: a list, which asks no master", async () => {
    const node = await startNode();
    node.setNotReady(WHY);
    node.list.store.listJobs = never;
    const jobs = createClient(JobService, http2(node));
    const error = await errorOf(jobs.getAllJobs({}, { timeoutMs: TIMEOUT_MS }));
    expect([error.code, error.rawMessage]).toEqual([Code.DeadlineExceeded, expect.stringContaining(WHY)]);
  });

  test("names no reason where there is none", async () => {
    const node = await startNode();
    node.api.beforeAdd = never;
    const jobs = createClient(JobService, http2(node));
    const error = await errorOf(jobs.addJob({ handler: "echo" }, { timeoutMs: TIMEOUT_MS }));
    expect(error.rawMessage).toBe("not done within the call's 2.0 s; whether it will be is not known");
  });

  test.each<[string, (jobs: Client<typeof JobService>) => Promise<unknown>]>([
    ["a lone add, which is gathered", (jobs) => jobs.addJob({ handler: "echo" }, { timeoutMs: TIMEOUT_MS })],
    ["AddJobs", (jobs) => jobs.addJobs({ jobs: [{ handler: "echo" }] }, { timeoutMs: TIMEOUT_MS })],
    [
      "an add with a key",
      (jobs) =>
        jobs.addJob(
          { handler: "echo" },
          { timeoutMs: TIMEOUT_MS, headers: { "idempotency-key": "order-42" } },
        ),
    ],
  ])("at a node that is not master says the reason once: %s", async (_, call) => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    master.setNotReady(WHY);
    follower.setNotReady(`${WHY}, says master ${master.address}`);
    master.api.beforeAdd = never;
    const { isWireError, rawMessage } = await errorOf(call(createClient(JobService, http2(follower))));
    expect([isWireError, rawMessage.split(WHY)]).toEqual([true, [expect.any(String), expect.any(String)]]);
  });

  test("at a node without a master says why there is none", async () => {
    const lone = await startNode({ role: { kind: "none" } });
    lone.setNotReady("no master: Redis has not answered for 4.1 s");
    const jobs = createClient(JobService, http2(lone));
    const error = await errorOf(jobs.addJob({ handler: "echo" }, { timeoutMs: TIMEOUT_MS }));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toMatch(
      /^no master right now, .* \(no master: Redis has not answered for 4.1 s\)$/,
    );
    expect(error.metadata.get("elastic-job-not-run")).toBe("1");
  });

  test("on a stream of adds is told on the stream, which goes on", async () => {
    const node = await startNode();
    const client = createTypedClient({ transport: createHttp2Transport(node.url), timeoutMs: TIMEOUT_MS });
    await client.addJob({ handler: "echo" });
    node.api.beforeAdd = never;
    node.setNotReady(WHY);
    const error = await errorOf(client.addJob({ handler: "echo" }));
    expect([error.code, error.rawMessage]).toEqual([Code.DeadlineExceeded, expect.stringContaining(WHY)]);
    node.setNotReady(null);
    node.api.beforeAdd = null;
    expect((await client.addJob({ handler: "echo" })).created).toBe(true);
  });

  test("as an outcome of AddJobs, too, where the database gave a job up", async () => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    master.setNotReady(WHY);
    follower.setNotReady(`${WHY}, says master ${master.address}`);
    const gaveUp = new ElasticJobError("unavailable", "MySQL is out of reach");
    master.api.addJobs = async (items) => items.map(() => gaveUp);
    const jobs = createClient(JobService, http2(follower));
    const { outcomes } = await jobs.addJobs({ jobs: [{ handler: "echo" }, { handler: "echo" }] });
    const failure = { code: "unavailable", message: `MySQL is out of reach (${WHY})` };
    expect(outcomes.map(({ outcome }) => outcome.value)).toMatchObject([failure, failure]);
  });

  test("is not told twice what it has failed for", async () => {
    const node = await startNode();
    const why = "no connection to 10.0.0.3:7070: its certificate is out of date";
    node.setNotReady(why);
    node.api.beforeAdd = async () =>
      Promise.reject(new ElasticJobError("unavailable", `not in time: ${why}`));
    const error = await errorOf(
      createClient(JobService, http2(node)).addJob({ handler: "echo" }, { timeoutMs: 500 }),
    );
    expect(error.rawMessage.split(why)).toHaveLength(2);
  });

  test("other errors stay as they are", async () => {
    const node = await startNode();
    node.setNotReady(WHY);
    const jobs = createClient(JobService, http2(node));
    const error = await errorOf(jobs.getJobStatus({ jobId: "999" }));
    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, expect.not.stringContaining(WHY)]);
  });
});

describe("grpc.health.v1", () => {
  const healthOf = (node: TestNode) => createClient(Health, createGrpcTransport({ baseUrl: node.url }));

  test("Check: the node lives, and its JobService is ready when an add would be answered", async () => {
    const node = await startNode();
    const health = healthOf(node);
    const both = async () =>
      Promise.all(["", JOB_SERVICE].map(async (service) => (await health.check({ service })).status));
    expect(await both()).toEqual([Status.SERVING, Status.SERVING]);
    node.setNotReady(WHY);
    expect(await both()).toEqual([Status.SERVING, Status.NOT_SERVING]);
    node.setNotReady(null);
    expect(await both()).toEqual([Status.SERVING, Status.SERVING]);
  });

  test("Check: another service is not found, by its name", async () => {
    const error = await errorOf(healthOf(await startNode()).check({ service: "elasticjob.v1.Jobs" }));
    expect([error.code, error.rawMessage]).toEqual([
      Code.NotFound,
      'service: there is no "elasticjob.v1.Jobs"; elasticjob.v1.JobService, and the empty name for the node itself, are known',
    ]);
  });

  test("List has both", async () => {
    const node = await startNode();
    node.setNotReady(WHY);
    const { statuses } = await healthOf(node).list({});
    const known = Object.entries(statuses).map(([service, { status }]) => [service, status]);
    expect(Object.fromEntries(known)).toEqual({ "": Status.SERVING, [JOB_SERVICE]: Status.NOT_SERVING });
  });

  test("Watch tells each change, and of one that does not exist that it is unknown", async () => {
    const node = await startNode();
    const stop = new AbortController();
    const seen: Status[] = [];
    const watch = async (service: string) => {
      for await (const { status } of healthOf(node).watch({ service }, { signal: stop.signal }))
        seen.push(status);
    };
    const watching = watch(JOB_SERVICE);
    await until("it is ready", () => seen.length === 1);
    node.setNotReady(WHY);
    await until("it is not", () => seen.length === 2);
    node.setNotReady(null);
    await until("it is again", () => seen.length === 3);
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
    const unknown = watch("nothing");
    await until("the other is not known", () => seen[3] === Status.SERVICE_UNKNOWN);
    stop.abort();
    await Promise.allSettled([watching, unknown]);
  });

  test("a node that stops ends its watches, and its JobService is not ready", async () => {
    const node = await startNode();
    const watch = healthOf(node).watch({ service: JOB_SERVICE });
    const first = await watch[Symbol.asyncIterator]().next();
    expect(first.value?.status).toBe(Status.SERVING);
    await within(3_000, "it stops", node.server.close(1_000));
  });

  test("watches are bounded", async () => {
    const node = await startNode();
    const health = healthOf(node);
    const open = (signal: AbortSignal) => health.watch({ service: "" }, { signal })[Symbol.asyncIterator]();
    const [stop, later] = [new AbortController(), new AbortController()];
    const watches = Array.from({ length: 100 }, () => open(stop.signal));
    await Promise.all(watches.map((watch) => watch.next()));
    expect((await errorOf(open(later.signal).next())).code).toBe(Code.ResourceExhausted);
    stop.abort();
    await Promise.allSettled(watches.map((watch) => watch.next()));
    const isTaken = () =>
      open(later.signal)
        .next()
        .then(
          () => true,
          () => false,
        );
    await until("there is room again", isTaken);
    later.abort();
  });

  test("asks for no token, in gRPC and in JSON, though the API does", async () => {
    const node = await startNode({
      credentials: { tokens: () => operators(["an-api-token-of-somebody"]), isOpen: false },
    });
    expect((await healthOf(node).check({ service: JOB_SERVICE })).status).toBe(Status.SERVING);
    const post = (path: string) =>
      fetch(`${node.url}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
    const answer = await post("grpc.health.v1.Health/Check");
    expect([answer.status, await answer.json()]).toEqual([200, { status: "SERVING" }]);
    expect((await post("elasticjob.v1.ClusterService/GetCluster")).status).toBe(401);
  });
});
