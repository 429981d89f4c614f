/** Requests over HTTP/1.1 that never become a call: each is refused in words, soon, by a node as by the edge. */
import net from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";
import { realClock, within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const REQUEST_MS = 1_000;
const HEAD =
  "POST /elasticjob.v1.JobService/AddJob HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";

let node: TestNode;
let edge: RunningEdge;
beforeAll(async () => {
  node = await startNode({ limits: { requestMs: REQUEST_MS, sniffMs: REQUEST_MS } });
  edge = await startEdge({
    host: "127.0.0.1",
    port: 0,
    upstreams: [node.url],
    allowedOrigins: [],
    isOpen: true,
    requestMs: REQUEST_MS,
  });
});
afterAll(async () => {
  await edge.close(100);
  await stopNodes();
});

/** Sends, keeps its side open, and resolves with all that came back when the other side closes. */
function sent(port: number, bytes: string | Buffer): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let received = "";
  const closed = new Promise<string>((resolve) => {
    for (const end of ["end", "close"]) socket.once(end, () => resolve(received));
  });
  // A reset, after the answer.
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString();
  });
  socket.write(bytes);
  return closed;
}

const ports: Record<string, () => number> = {
  "a node": () => node.port,
  "the edge": () => Number(new URL(edge.url).port),
};

for (const [name, port] of Object.entries(ports)) {
  describe(`${name} refuses in words`, () => {
    test.each([
      [
        "a body that does not come to its end",
        `${HEAD}Content-Length: 50\r\n\r\n{`,
        408,
        "deadline_exceeded",
      ],
      ["headers that do not come to their end", HEAD, 408, "deadline_exceeded"],
      ["headers that are too large", `${HEAD}X: ${"x".repeat(20_000)}\r\n\r\n`, 431, "invalid_argument"],
      ["what is no HTTP", "hello there\r\n\r\n", 400, "invalid_argument"],
      [
        "a body in pieces that are none",
        `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
        400,
        "invalid_argument",
      ],
    ])("%s", async (_, bytes, status, code) => {
      const answer = await within(REQUEST_MS * 3, "the refusal", sent(port(), bytes));
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head).toMatch(/connection: close/i);
      expect(/elastic-job-not-run: 1/.test(head)).toBe(status === 408);
      expect(JSON.parse(body)).toEqual({ code, message: expect.stringMatching(/\w+ \w+/) });
    });
  });

  test(`connections that say nothing, or not all, are ended by ${name} when a request's time is over`, async () => {
    const startedAt = realClock.monotonic();
    const silent = ["", "POST /elastic", HEAD].map((bytes) => sent(port(), bytes));
    await within(REQUEST_MS * 2, "their end", Promise.all(silent));
    expect(realClock.monotonic() - startedAt).toBeLessThan(REQUEST_MS + 250);
  });
}

test.each([
  ["headers that come", HEAD, 'Content-Length: 18\r\n\r\n{"handler":"echo"}'],
  ["a body that comes", `${HEAD}Content-Length: 18\r\n\r\n{"handler"`, ':"echo"}'],
  [
    "a call that comes behind a body",
    `${HEAD}Content-Length: 10\r\n\r\n{`,
    `xxxxxxxxx${HEAD}Content-Length: 18\r\n\r\n{"handler":"echo"}`,
  ],
])("of %s after the refusal nothing is done", async (_, before, after) => {
  const jobs = node.api.jobs.size;
  for (const port of Object.values(ports)) {
    const socket = net.connect({ port: port(), host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.resume();
    socket.write(before);
    await within(REQUEST_MS * 2, "the refusal", new Promise((resolve) => socket.once("end", resolve)));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end(after);
    await within(5_000, "its end", closed);
  }
  expect(node.api.jobs.size).toBe(jobs);
});

test("a body that waits for the node is not held against its caller: it is to come again, and nothing was done", async () => {
  // Takes connections, and reads nothing.
  const stuck = net.createServer((socket) => void socket.pause()).listen(0, "127.0.0.1");
  await new Promise((resolve) => stuck.once("listening", resolve));
  const { port } = stuck.address() as net.AddressInfo;
  const before = await startEdge({
    host: "127.0.0.1",
    port: 0,
    upstreams: [`http://127.0.0.1:${port}`],
    allowedOrigins: [],
    isOpen: true,
    requestMs: REQUEST_MS,
  });
  onTestFinished(async () => {
    await before.close(0);
    stuck.close();
  });
  const body = Buffer.alloc(40_000_000, " ");
  const head = `${HEAD}Connect-Timeout-Ms: 20000\r\nContent-Length: ${body.length}\r\n\r\n`;
  const whole = Buffer.concat([Buffer.from(head), body]);
  const answer = await within(5_000, "an answer", sent(Number(new URL(before.url).port), whole));
  expect(answer).toMatch(/^HTTP\/1.1 429 [^]*retry-after-ms: 1000\r\n[^]*"code":"resource_exhausted"/);
});
