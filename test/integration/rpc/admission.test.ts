/** What a node takes on at once, and what it does with requests that do not come to their end. */
import http2 from "node:http2";
import net from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createClient as createJobClient } from "../../../src/client/client.ts";
import { RETRY_AFTER, RETRY_AFTER_MS } from "../../../src/core/call-headers.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { createPeerSession } from "../../../src/rpc/forwarding/peer-session.ts";
import { CALL_BYTES } from "../../../src/rpc/server/call-budget.ts";
import { protoClient, type Unary } from "../../fixtures/proto-client.ts";
import { asker } from "../../fixtures/rpc-node/secrets.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const ADD = "/elasticjob.v1.JobService/AddJob";
const WATCH = "/elasticjob.v1.JobService/WatchJob";

afterAll(stopNodes);

function post(node: TestNode, body: string, path = ADD): Promise<Response> {
  return fetch(node.url + path, { method: "POST", headers: { "content-type": "application/json" }, body });
}

/** Holds all adds until it is called. */
function holdAdds(node: TestNode): () => void {
  const held = Promise.withResolvers<void>();
  node.api.beforeAdd = () => held.promise;
  onTestFinished(() => held.resolve());
  return () => held.resolve();
}

function openSession(node: TestNode): http2.ClientHttp2Session {
  const session = http2.connect(node.url);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return session;
}

/** A request of which the body never ends. */
function halfOpen(session: http2.ClientHttp2Session, path = ADD): http2.ClientHttp2Stream {
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
  stream.on("error", () => {});
  stream.write('{"handler":');
  return stream;
}

test("calls beyond the budget are refused with resource_exhausted and when to try again, until others have ended", async () => {
  const node = await startNode({ limits: { budgetBytes: CALL_BYTES * 2 + 20_000 } });
  const release = holdAdds(node);
  const held = [post(node, '{"handler":"echo"}'), post(node, '{"handler":"echo"}')];
  await until("both are under way", () => node.api.calls.length === 2);
  const refused = await post(node, '{"handler":"echo"}');
  expect(refused.status).toBe(429);
  expect(refused.headers.get(RETRY_AFTER)).toBe("1");
  expect(refused.headers.get(RETRY_AFTER_MS)).toBe("1000");
  expect(await refused.json()).toMatchObject({
    code: "resource_exhausted",
    message: expect.stringContaining("try again"),
  });
  release();
  for (const answer of await Promise.all(held)) expect(answer.status).toBe(200);
  expect((await post(node, '{"handler":"echo"}')).status).toBe(200);
});

test("our client comes again when it was told to", async () => {
  const node = await startNode({ limits: { budgetBytes: CALL_BYTES + 20_000 } });
  const release = holdAdds(node);
  const held = post(node, '{"handler":"echo"}');
  await until("one is under way", () => node.api.calls.length === 1);
  const client = createJobClient({ baseUrl: node.url });
  const added = client.addJob({ handler: "echo" });
  const control = client.getJobStatus("1");
  release();
  expect((await held).status).toBe(200);
  expect((await added).jobId).toBe("2");
  expect((await control).job.jobId).toBe("1");
});

test("a body that does not fit into the budget is refused, and the budget is free again after it", async () => {
  const node = await startNode({ limits: { budgetBytes: CALL_BYTES * 4 } });
  const body = JSON.stringify({ handler: "echo", payload: "x".repeat(100_000) });
  for (let time = 0; time < 3; time++) {
    const refused = await post(node, body);
    expect(refused.status).toBe(429);
    expect(refused.headers.get(RETRY_AFTER_MS)).toBe("1000");
    expect(await refused.json()).toMatchObject({ code: "resource_exhausted" });
  }
  expect((await post(node, '{"handler":"echo"}')).status).toBe(200);
});

test("gRPC clients read the refusal as resource_exhausted", async () => {
  const node = await startNode({ limits: { budgetBytes: 1 } });
  const client = protoClient<{ addJob: Unary<{ jobId: string }> }>(ROOT, node.address);
  onTestFinished(() => client.close());
  const { Metadata } = await import("@grpc/grpc-js");
  const error = await new Promise<{ code: number; details: string } | null>((resolve) =>
    client.addJob({ handler: "echo" }, new Metadata(), {}, (failure) => resolve(failure)),
  );
  expect(error).toMatchObject({
    code: Code.ResourceExhausted,
    details: expect.stringContaining("try again"),
  });
});

test("watches beyond their number are refused, and other calls are not", async () => {
  const node = await startNode({ limits: { maxStreams: 2 } });
  const { jobId } = (await (await post(node, '{"handler":"echo"}')).json()) as { jobId: string };
  const client = createClient(
    JobService,
    createConnectTransport({ baseUrl: node.url, httpVersion: "2", acceptCompression: [] }),
  );
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const watch = async () => {
    const watching = client.watchJob({ jobId }, { signal: abort.signal })[Symbol.asyncIterator]();
    return (await watching.next()).value?.job?.jobId;
  };
  expect(await watch()).toBe(jobId);
  expect(await watch()).toBe(jobId);
  await expect(watch()).rejects.toBeInstanceOf(ConnectError);
  const refused = await post(node, `{"jobId":"${jobId}"}`, WATCH);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ message: expect.stringContaining("watches") });
  expect((await post(node, '{"handler":"echo"}')).status).toBe(200);
  abort.abort();
  await until("there is room again", async () => (await post(node, "{}", WATCH)).status !== 429);
});

test("a request whose body does not end is cut off when its time is over, on HTTP/2 and on HTTP/1.1", async () => {
  const node = await startNode({ limits: { requestMs: 300, sniffMs: 300 } });
  const closed = new Promise((resolve) => halfOpen(openSession(node)).once("close", resolve));
  const socket = net.connect(node.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `POST ${ADD} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
  );
  socket.resume();
  const ended = new Promise((resolve) => socket.once("close", resolve));
  await Promise.all([closed, ended]);
  expect((await post(node, '{"handler":"echo"}')).status).toBe(200);
});

test("of requests that do not end, the oldest make room; those that end are served all the while", async () => {
  const node = await startNode({ limits: { maxHalfOpen: 10 } });
  const session = openSession(node);
  let cut = 0;
  for (let count = 0; count < 50; count++) halfOpen(session).once("close", () => cut++);
  await until("the oldest are cut off", () => cut === 40);
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(node, '{"handler":"echo"}')));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

test("a connection whose requests never end is closed for good", async () => {
  const node = await startNode({ limits: { maxHalfOpen: 10 } });
  const session = openSession(node);
  const closed = new Promise((resolve) => session.once("close", resolve));
  for (let count = 0; count < 100; count++) halfOpen(session);
  await closed;
  expect((await post(node, '{"handler":"echo"}')).status).toBe(200);
});

test("of connections that ask for nothing, the oldest make room", async () => {
  const node = await startNode({ limits: { maxHalfOpen: 10 } });
  let cut = 0;
  for (let count = 0; count < 50; count++) {
    const socket = net.connect(node.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => cut++);
    onTestFinished(() => void socket.destroy());
  }
  await until("the oldest are cut off", () => cut >= 40);
  expect((await post(node, '{"handler":"echo"}')).status).toBe(200);
});

test("callers have so many calls on a connection, and nodes as many as they need", async () => {
  const node = await startNode({ limits: { maxStreamsAConnection: 3 } });
  const add = async (stream: http2.ClientHttp2Stream) => {
    const { session } = stream;
    stream.end('{"handler":"echo"}');
    stream.resume();
    await new Promise((resolve) => stream.once("close", resolve));
    return session?.remoteSettings.maxConcurrentStreams;
  };
  const type = { "content-type": "application/json" };
  const session = openSession(node);
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  expect(session.remoteSettings.maxConcurrentStreams).toBe(3);
  expect(await add(session.request({ ":method": "POST", ":path": ADD, ...type }))).toBe(3);
  const peer = createPeerSession(node.address, { asking: asker(), tls: null });
  onTestFinished(() => peer.destroy());
  expect(await add(await peer.manager.request("POST", ADD, type, {}))).toBe(2 ** 31 - 1);
});
