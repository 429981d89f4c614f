/** Attacks on what nodes say to each other: without the cluster's secret nobody is a node, whatever he says, sends again or passes on. */
import http2 from "node:http2";
import net from "node:net";
import { create } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import {
  type GetJobRequest,
  GetJobRequestSchema,
  NodeService,
} from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { createNetwork } from "../../../src/rpc/forwarding/network.ts";
import { DEFAULT_LIMITS } from "../../../src/rpc/limits.ts";
import type { Asking } from "../../../src/rpc/proof/ask-for-proof.ts";
import { proofOf } from "../../../src/rpc/proof/transcript.ts";
import { realClock } from "../../fixtures/real-time.ts";
import { asker, closePeers, peerOf, secretsOf, TEST_SECRETS } from "../../fixtures/rpc-node/secrets.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

const SECRET = "the secret of all nodes in tests";
const CLUSTER = "the-cluster";
const unauthenticated = { code: Code.Unauthenticated };

afterEach(async () => {
  closePeers();
  await stopNodes();
});

/** Somebody's own connection, on which all that he calls goes. */
function strangerAt(node: TestNode) {
  const sessionManager = new Http2SessionManager(node.url);
  onTestFinished(() => sessionManager.abort());
  const transport = createConnectTransport({ baseUrl: node.url, httpVersion: "2", sessionManager });
  return { nodes: createClient(NodeService, transport), jobs: createClient(JobService, transport) };
}

const nonce = new Uint8Array(32).fill(5);
const hello = (incarnation: string) =>
  create(GetJobRequestSchema, { message: { case: "hello", value: { incarnation, nodeId: "a stranger" } } });
async function* only(...messages: GetJobRequest[]) {
  yield* messages;
}

function open(address: string, asking: Asking = asker()) {
  const seen = { received: 0, closed: [] as { reason: string; isStranger: boolean }[] };
  const network = createNetwork({ clock: realClock, limits: DEFAULT_LIMITS, asking, tls: null });
  const stream = network.openStream(address, {
    message: () => void (seen.received += 1),
    closed: (reason, isStranger = false) => void seen.closed.push({ reason, isStranger }),
  });
  onTestFinished(() => stream.close());
  return { seen, stream };
}

/** Who registers, is given jobs, ends claims, drains: all of it begins with one of these. */
async function expectClosed(node: TestNode, { nodes, jobs }: ReturnType<typeof strangerAt>): Promise<void> {
  let streams = 0;
  node.api.onStream = () => {
    streams++;
    return { message: () => {}, closed: () => {} };
  };
  const stream = nodes.getJob(only(hello("x")))[Symbol.asyncIterator]();
  await expect(stream.next()).rejects.toMatchObject(unauthenticated);
  await expect(nodes.identify({ incarnation: "x" })).rejects.toMatchObject(unauthenticated);
  await expect(nodes.explainPrepared({})).rejects.toMatchObject(unauthenticated);
  for (const incarnation of ["x", "", node.asMaster.incarnation]) {
    const call = jobs.addJob({ handler: "echo" }, { headers: { "elastic-job-forwarded": incarnation } });
    await expect(call).rejects.toMatchObject(unauthenticated);
  }
  expect(streams).toBe(0);
  expect(node.api.calls).toEqual([]);
}

describe("a stranger", () => {
  test("who says nothing is no node", async () => {
    const node = await startNode();
    await expectClosed(node, strangerAt(node));
  });

  test("who makes up a proof, or sends the other's own one back, is no node", async () => {
    const node = await startNode();
    const stranger = strangerAt(node);
    const { address } = node;
    const challenge = () => stranger.nodes.challenge({ nonce, incarnation: "x", address });
    for (const made of [
      () => new Uint8Array(32),
      () => new Uint8Array(),
      ({ proof }: { proof: Uint8Array }) => proof,
    ]) {
      const proof = made(await challenge());
      await expect(stranger.nodes.prove({ proof })).rejects.toMatchObject(unauthenticated);
      // One proof for each challenge.
      await expect(stranger.nodes.prove({ proof })).rejects.toMatchObject({ code: Code.FailedPrecondition });
    }
    await expectClosed(node, stranger);
  });

  test("who sends again what another connection has proved is no node", async () => {
    const node = await startNode();
    const { address } = node;
    const answer = await strangerAt(node).nodes.challenge({ nonce, incarnation: "x", address });
    const proof = proofOf(SECRET, "asks", {
      askNonce: nonce,
      answerNonce: answer.nonce,
      askIncarnation: "x",
      answerIncarnation: answer.incarnation,
      epoch: answer.epoch,
      cluster: CLUSTER,
      address,
    });
    const stranger = strangerAt(node);
    await stranger.nodes.challenge({ nonce, incarnation: "x", address });
    await expect(stranger.nodes.prove({ proof })).rejects.toMatchObject(unauthenticated);
    await expectClosed(node, stranger);
  });

  test("who shares a connection's machine shares nothing that it has proved", async () => {
    const node = await startNode();
    await peerOf(node.address).nodes.identify({});
    await expectClosed(node, strangerAt(node));
  });

  test("who asks with nonces of other sizes gets no proof", async () => {
    const node = await startNode();
    const { nodes } = strangerAt(node);
    for (const size of [0, 31, 33, 1000]) {
      const call = nodes.challenge({ nonce: new Uint8Array(size), incarnation: "x", address: node.address });
      await expect(call).rejects.toMatchObject({ code: Code.InvalidArgument });
    }
  });

  test("who proves nothing over HTTP/1.1 either, where a proxy may share connections", async () => {
    const node = await startNode();
    const transport = createConnectTransport({ baseUrl: node.url, httpVersion: "1.1" });
    const nodes = createClient(NodeService, transport);
    const { address } = node;
    const answer = await nodes.challenge({ nonce, incarnation: "x", address });
    const agreed = {
      askNonce: nonce,
      answerNonce: answer.nonce,
      askIncarnation: "x",
      cluster: CLUSTER,
      address,
    };
    const proof = proofOf(SECRET, "asks", { ...agreed, answerIncarnation: answer.incarnation, epoch: 7 });
    await expect(nodes.prove({ proof })).rejects.toMatchObject({ code: Code.FailedPrecondition });
  });
});

describe("a node", () => {
  test("is who it has proved to be: another one's hello and forwarded calls are not taken", async () => {
    const node = await startNode();
    const heard: string[] = [];
    node.api.onStream = () => ({
      message: ({ message }) => void heard.push(message.case === "hello" ? message.value.incarnation : ""),
      closed: () => void heard.push("closed"),
    });
    const { stream, seen } = open(node.address, asker(TEST_SECRETS, "itself"));
    stream.send(hello("another"));
    await until("the stream is closed", () => seen.closed.length === 1);
    expect(heard).toEqual(["closed"]);
    expect(node.logger.lines).toContainEqual(expect.objectContaining({ level: "warn" }));

    const { jobs } = peerOf(node.address, asker(TEST_SECRETS, "itself"));
    const passedOn = (by: string) =>
      jobs.addJob({ handler: "echo" }, { headers: { "elastic-job-forwarded": by } });
    await expect(passedOn("another")).rejects.toMatchObject(unauthenticated);
    expect(await passedOn("itself")).toMatchObject({ created: true });
  });

  test("believes nobody who does not know the secret, and tells him nothing", async () => {
    const asked: string[] = [];
    const bodies: Buffer[] = [];
    const impostor = http2.createServer();
    impostor.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
      asked.push(String(headers[":path"]));
      stream.on("data", (piece: Buffer) => bodies.push(piece));
      stream.respond({ ":status": 200, "content-type": "application/proto" });
      stream.end();
    });
    await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void impostor.close());
    const address = `127.0.0.1:${(impostor.address() as net.AddressInfo).port}`;
    const { stream, seen } = open(address);
    stream.send(hello("asker"));
    await until("it is left", () => seen.closed.length === 1);
    expect(seen).toMatchObject({ received: 0, closed: [{ isStranger: true }] });
    const network = createNetwork({ clock: realClock, limits: DEFAULT_LIMITS, asking: asker(), tls: null });
    expect(await network.identify(address, 2_000)).toBe("silent");
    const call = peerOf(address).jobs.addJob({ handler: "a secret handler" });
    await expect(call).rejects.toMatchObject({ rawMessage: expect.stringContaining("CLUSTER_SECRET") });
    expect(new Set(asked)).toEqual(new Set(["/elasticjob.v1.NodeService/Challenge"]));
    expect(Buffer.concat(bodies).toString("latin1")).not.toContain(SECRET);
    expect(Buffer.concat(bodies).toString("latin1")).not.toContain("a secret handler");
  });

  test("is not led on by who passes everything on to the true master", async () => {
    const node = await startNode();
    const relay = net.createServer((socket) => {
      const upstream = net.connect(node.port, "127.0.0.1");
      socket.pipe(upstream).pipe(socket);
      for (const end of [socket, upstream]) end.on("error", () => {});
      socket.on("close", () => upstream.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void relay.close());
    const { seen } = open(`127.0.0.1:${(relay.address() as net.AddressInfo).port}`);
    await until("it is left", () => seen.closed.length === 1);
    expect(seen).toMatchObject({ received: 0, closed: [{ isStranger: true }] });
  });

  test("proves itself anew on each connection", async () => {
    const node = await startNode();
    const peer = peerOf(node.address);
    expect(await peer.nodes.identify({})).toMatchObject({ epoch: 7 });
    await node.server.close(0);
    const impostor = http2.createServer();
    const asked: string[] = [];
    impostor.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
      asked.push(String(headers[":path"]));
      stream.respond({ ":status": 200, "content-type": "application/proto" });
      stream.end();
    });
    await new Promise<void>((resolve) => impostor.listen(node.port, "127.0.0.1", resolve));
    onTestFinished(() => void impostor.close());
    // That its old connection is gone may be what a first call finds.
    await until("it is asked", async () => {
      await expect(peer.jobs.addJob({ handler: "echo" })).rejects.toBeDefined();
      return asked.length > 0;
    });
    expect(asked).toEqual(["/elasticjob.v1.NodeService/Challenge"]);
  });

  test("says that it was refused where it is the other one that does not take its proof", async () => {
    // It gives the old secret up between its own proof and the other's.
    const known = [["old"], ["new"]];
    const read = async () => known.shift() ?? ["new"];
    const node = await startNode({ secrets: { ...TEST_SECRETS, read } });
    const { seen } = open(node.address, asker(secretsOf("old", "new")));
    await until("it is left", () => seen.closed.length === 1);
    expect(seen.closed[0]?.reason).toMatch(
      new RegExp(`^${node.address} refuses this node: it does not take its proof; .*CLUSTER_SECRET`),
    );
  });

  test("of a cluster with another identity says both", async () => {
    const node = await startNode({ secrets: { ...TEST_SECRETS, cluster: async () => "cluster-b" } });
    const { seen } = open(node.address);
    await until("it is left", () => seen.closed.length === 1);
    expect(seen.closed[0]?.reason).toMatch(/cluster-b.*the-cluster.*CLUSTER_SECRET.*MYSQL_URL/);
  });
});

test.each<[string, string[], string[], boolean]>([
  ["the new one is accepted before it is used", ["old"], ["old", "new"], true],
  ["one half of the nodes uses it", ["old", "new"], ["new", "old"], true],
  ["the old one is given up", ["new"], ["new", "old"], true],
  ["it was never accepted", ["old"], ["new"], false],
])("a secret is changed while nodes run: %s", async (_, here, there, isAccepted) => {
  const node = await startNode({ secrets: secretsOf(...there) });
  const call = peerOf(node.address, asker(secretsOf(...here))).nodes.identify({});
  if (isAccepted) expect(await call).toMatchObject({ epoch: 7 });
  else await expect(call).rejects.toMatchObject({ rawMessage: expect.stringContaining("CLUSTER_SECRET") });
});
