/** What becomes of an HTTP/1.1 connection of which a request was answered before it had been read. */
import http from "node:http";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { operators } from "../../../src/core/callers/api-tokens.ts";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";
import { CALL_BYTES } from "../../../src/rpc/server/call-budget.ts";
import { within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const ADD = "/elasticjob.v1.JobService/AddJob";
const TOKEN = "0123456789abcdefTOKEN";
const MB = 1_000_000;

let node: TestNode;
let asking: TestNode;
let edge: RunningEdge;
let askingEdge: RunningEdge;
beforeAll(async () => {
  node = await startNode({ limits: { budgetBytes: CALL_BYTES * 2 + 200_000 } });
  asking = await startNode({ credentials: { tokens: () => operators([TOKEN]), isOpen: false } });
  const options = { host: "127.0.0.1", port: 0, upstreams: [node.url], allowedOrigins: [], isOpen: true };
  edge = await startEdge(options);
  askingEdge = await startEdge({ ...options, tokens: () => operators([TOKEN]) });
});
afterAll(async () => {
  await Promise.all([edge.close(100), askingEdge.close(100)]);
  await stopNodes();
});

interface Call {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly bytes: number;
}

/** By a pool of one connection, as Java's and Go's clients have it: it sends the whole body, and keeps what may be kept. */
function post(agent: http.Agent, url: string, { path = ADD, headers = {}, bytes }: Call) {
  const body = JSON.stringify({ handler: "echo", ...(bytes > 0 && { payload: "x".repeat(bytes) }) });
  const length = String(Buffer.byteLength(body));
  return new Promise<{ status: number; connection: string; body: string }>((resolve, reject) => {
    const request = http.request(url + path, {
      method: "POST",
      agent,
      headers: { "content-type": "application/json", "content-length": length, ...headers },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          connection: response.headers.connection ?? "",
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end(body);
  });
}

function pool(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

const REFUSALS: Record<string, () => { url: string; call: Call; status: number }> = {
  "a node whose budget it does not fit into": () => ({
    url: node.url,
    call: { bytes: 12 * MB },
    status: 429,
  }),
  "a node that has no room for calls": () => ({
    url: node.url,
    call: { path: "/elasticjob.v1.JobService/GetJobStatus", bytes: 3 * MB },
    status: 429,
  }),
  "a node that asks for a token": () => ({ url: asking.url, call: { bytes: 12 * MB }, status: 401 }),
  "a node that does not know the path": () => ({
    url: node.url,
    call: { path: "/elasticjob.v1.JobService/AddJbo", bytes: 12 * MB },
    status: 404,
  }),
  "a node that does not take the type": () => ({
    url: node.url,
    call: { headers: { "content-type": "text/plain" }, bytes: 12 * MB },
    status: 415,
  }),
  "a node that does not take the Host": () => ({
    url: node.url,
    call: { headers: { host: "a/b" }, bytes: 12 * MB },
    status: 400,
  }),
  "the edge of a node whose budget it does not fit into": () => ({
    url: edge.url,
    call: { bytes: 12 * MB },
    status: 429,
  }),
  "the edge, as it is too large": () => ({ url: edge.url, call: { bytes: 70 * MB }, status: 413 }),
  "the edge, which asks for a token": () => ({ url: askingEdge.url, call: { bytes: 12 * MB }, status: 401 }),
  "the edge, which does not know the path": () => ({
    url: edge.url,
    call: { path: "/JobService/AddJbo", bytes: 12 * MB },
    status: 404,
  }),
  "the edge, which does not take the type": () => ({
    url: edge.url,
    call: { headers: { "content-type": "text/plain" }, bytes: 12 * MB },
    status: 415,
  }),
  "the edge, which does not take calls of that page": () => ({
    url: edge.url,
    call: { headers: { origin: "https://evil.example" }, bytes: 12 * MB },
    status: 403,
  }),
};

describe("a large request that is refused by", () => {
  for (const [name, refusal] of Object.entries(REFUSALS)) {
    test(`${name}: its caller reads the answer, hears that the connection ends, and its next call is not held`, async () => {
      const { url, call, status } = refusal();
      const agent = pool();
      const refused = await within(3_000, "the refusal", post(agent, url, call));
      expect(JSON.parse(refused.body)).toMatchObject({
        code: expect.any(String),
        message: expect.any(String),
      });
      expect(refused).toMatchObject({ status, connection: "close" });
      const headers = { authorization: `Bearer ${TOKEN}` };
      const next = await within(1_500, "the next call", post(agent, url, { headers, bytes: 0 }));
      expect(next).toMatchObject({ status: 200, connection: "keep-alive" });
    });
  }
});

test("a caller that goes on sending after a refusal is cut off soon", async () => {
  for (const port of [node.port, Number(new URL(edge.url).port)]) {
    const socket = net.connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.resume();
    socket.write(
      `POST /none HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${MB}\r\n\r\n`,
    );
    const timer = setInterval(() => socket.write("x"), 50);
    await within(5_000, "the connection ends", closed).finally(() => clearInterval(timer));
  }
});

test("a small request that is refused keeps its connection", async () => {
  const agent = pool();
  for (let time = 0; time < 2; time++) {
    const refused = await post(agent, node.url, { path: "/elasticjob.v1.JobService/AddJbo", bytes: 0 });
    expect(refused).toMatchObject({ status: 404 });
  }
});
