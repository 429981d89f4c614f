import net from "node:net";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import type { MasterStream } from "../../../src/coordination/network.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import {
  type GetJobRequest,
  GetJobRequestSchema,
  type GetJobResponse,
  GetJobResponseSchema,
} from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { createNetwork } from "../../../src/rpc/forwarding/network.ts";
import { DEFAULT_LIMITS } from "../../../src/rpc/limits.ts";
import { realClock, within } from "../../fixtures/real-time.ts";
import { asker } from "../../fixtures/rpc-node/secrets.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

afterEach(stopNodes);

const network = createNetwork({ clock: realClock, limits: DEFAULT_LIMITS, asking: asker(), tls: null });

const ping = (sentAtMs: number): GetJobRequest =>
  create(GetJobRequestSchema, { message: { case: "ping", value: { sentAtMs } } });
const pong = (sentAtMs: number): GetJobResponse =>
  create(GetJobResponseSchema, { message: { case: "pong", value: { sentAtMs, clusterTimeMs: 0 } } });
const sentAt = (message: GetJobRequest | GetJobResponse): number =>
  message.message.case === "ping" || message.message.case === "pong" ? message.message.value.sentAtMs : -1;

/** The master's end echoes each ping as a pong. */
function echo(node: TestNode) {
  const seen = { closed: 0, messages: 0, streams: [] as MasterStream[] };
  node.api.onStream = (stream) => {
    seen.streams.push(stream);
    return {
      message(message) {
        seen.messages += 1;
        stream.send(pong(sentAt(message)));
      },
      closed: () => void (seen.closed += 1),
    };
  };
  return seen;
}

function open(address: string) {
  const seen = { received: [] as number[], closed: [] as string[] };
  const stream = network.openStream(address, {
    message: (message) => void seen.received.push(sentAt(message)),
    closed: (reason) => void seen.closed.push(reason),
  });
  return { ...seen, stream };
}

describe("a GetJob stream", () => {
  test("carries messages both ways, in order", async () => {
    const node = await startNode();
    echo(node);
    const { stream, received } = open(node.address);
    for (let n = 0; n < 1000; n++) stream.send(ping(n));
    await until("all pongs", () => received.length === 1000);
    expect(received).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    stream.close();
  });

  test("closed by the node: the master hears of it once, and nothing more is delivered", async () => {
    const node = await startNode();
    const master = echo(node);
    const { stream, received, closed } = open(node.address);
    stream.send(ping(1));
    await until("a pong", () => received.length === 1);
    for (let n = 0; n < 100; n++) stream.send(ping(n));
    stream.close();
    stream.close();
    stream.send(ping(2));
    await until("both ends know", () => master.closed === 1 && closed.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(received).toHaveLength(1);
    expect([master.closed, closed.length]).toEqual([1, 1]);
  });

  test("closed by the master: the node hears of it once", async () => {
    const node = await startNode();
    const master = echo(node);
    const { stream, received, closed } = open(node.address);
    stream.send(ping(1));
    await until("a pong", () => received.length === 1);
    master.streams[0]?.close();
    master.streams[0]?.close();
    await until("both ends know", () => master.closed === 1 && closed.length === 1);
    stream.send(ping(2));
    master.streams[0]?.send(pong(3));
    expect(received).toHaveLength(1);
  });

  test("one stream's end leaves other streams and calls to the same node alone", async () => {
    const node = await startNode();
    echo(node);
    const [one, two] = [open(node.address), open(node.address)];
    one.stream.send(ping(1));
    two.stream.send(ping(1));
    await until("pongs", () => one.received.length === 1 && two.received.length === 1);
    one.stream.close();
    await until("it is closed", () => one.closed.length === 1);
    two.stream.send(ping(2));
    await until("a pong", () => two.received.length === 2);
    two.stream.close();
  });

  test("a node that is not the master refuses it", async () => {
    const node = await startNode({ role: { kind: "none" } });
    const { stream, closed } = open(node.address);
    stream.send(ping(1));
    await until("closed", () => closed.length === 1);
    expect(closed[0]).toMatch(/not the master/);
  });

  test("to an address where nobody listens is closed", async () => {
    const node = await startNode();
    await node.server.close(0);
    const { closed } = open(node.address);
    await until("closed", () => closed.length === 1);
  });

  test("to a listener that says nothing is given up", { timeout: 10_000 }, async () => {
    const mute = net.createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as net.AddressInfo;
    const { closed, stream } = open(`127.0.0.1:${port}`);
    stream.send(ping(1));
    await until("closed", () => closed.length === 1, 9000);
    mute.close();
  });

  test("a node that does not read is cut off, and the master hears of it", async () => {
    const node = await startNode({ limits: { maxQueuedMessages: 100 } });
    const master = echo(node);
    // Speaks HTTP/2 up to the open stream, and then reads nothing more: the socket is paused.
    const sockets: net.Socket[] = [];
    const proxy = net.createServer((socket) => {
      const upstream = net.connect(node.port, "127.0.0.1");
      sockets.push(upstream);
      socket.pipe(upstream).pipe(socket);
      socket.on("error", () => {});
      upstream.on("error", () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as net.AddressInfo;
    node.advertise(`127.0.0.1:${port}`);
    const { stream, received } = open(`127.0.0.1:${port}`);
    stream.send(ping(1));
    await until("a pong", () => received.length === 1);
    sockets[0]?.unpipe();
    sockets[0]?.pause();
    const big = create(GetJobResponseSchema, {
      message: { case: "assign", value: { jobId: [1], payload: ["x".repeat(1024 * 1024)] } },
    });
    for (let n = 0; n < 2000 && master.closed === 0; n++) {
      master.streams[0]?.send(big);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(master.closed).toBe(1);
    stream.close();
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
});

describe("identify", () => {
  test("tells who answers, and in which epoch it is master", async () => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    const { nodeId, incarnation } = master.asMaster;
    const sharesDatabase = true;
    expect(await network.identify(master.address, 2000)).toEqual({
      nodeId,
      incarnation,
      epoch: 7,
      sharesDatabase,
    });
    expect(await network.identify(follower.address, 2000)).toMatchObject({ epoch: 0 });
  });

  test("is refused where nobody listens, and silent where nobody answers", async () => {
    const node = await startNode();
    await node.server.close(0);
    expect(await network.identify(node.address, 2000)).toBe("refused");

    const mute = net.createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as net.AddressInfo;
    expect(await within(3000, "an answer", network.identify(`127.0.0.1:${port}`, 200))).toBe("silent");
    mute.close();
  });
});

describe("stopping a server", () => {
  test("ends open streams, answers what runs, and is over in time", async () => {
    const node = await startNode();
    const master = echo(node);
    const { stream, received, closed } = open(node.address);
    stream.send(ping(1));
    await until("a pong", () => received.length === 1);

    const over1 = createClient(JobService, createConnectTransport({ baseUrl: node.url, httpVersion: "1.1" }));
    const over2 = createClient(JobService, createConnectTransport({ baseUrl: node.url, httpVersion: "2" }));
    const { jobId } = await over1.addJob({ handler: "echo" });
    const watches = [over1, over2].map(async (client) => {
      for await (const _ of client.watchJob({ jobId })) watching += 1;
    });
    let watching = 0;
    await until("both watch", () => watching === 2);
    const ended = Promise.allSettled(watches);

    const releases: (() => void)[] = [];
    node.api.beforeAdd = () => new Promise((resolve) => void releases.push(resolve));
    const adding = Promise.all([over1.addJob({ handler: "echo" }), over2.addJob({ handler: "echo" })]);
    await until("both adds run", () => node.api.calls.length === 3);

    const closing = within(4000, "closed", node.server.close(10_000));
    await until("the node's stream ended", () => master.closed === 1 && closed.length === 1);
    for (const watch of await within(2000, "the watches end", ended)) {
      expect(watch).toMatchObject({
        status: "rejected",
        reason: { rawMessage: expect.stringContaining("stopping") },
      });
    }
    for (const release of releases) release();
    expect(await adding).toHaveLength(2);
    await closing;
  });

  test("cuts what does not end by itself when the grace period is over", async () => {
    const node = await startNode();
    node.api.beforeAdd = () => new Promise(() => {});
    const client = createClient(JobService, createConnectTransport({ baseUrl: node.url, httpVersion: "2" }));
    const adding = client.addJob({ handler: "echo" }).catch(() => "cut");
    const socket = net.connect(node.port, "127.0.0.1");
    const gone = new Promise((resolve) => socket.on("close", resolve));
    await until("the add runs", () => node.api.calls.length === 1);
    await within(2000, "closed", node.server.close(200));
    expect(await adding).toBe("cut");
    await within(1000, "the idle connection is closed", gone);
  });
});
