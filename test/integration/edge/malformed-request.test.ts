import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";

let edge: RunningEdge;

beforeAll(async () => {
  edge = await startEdge({
    host: "127.0.0.1",
    port: 0,
    upstreams: ["http://127.0.0.1:1"],
    allowedOrigins: [],
    isOpen: true,
  });
});
afterAll(() => edge.close());

test.each([
  ["a Host that is none", "GET /healthz HTTP/1.1\r\nHost: a b:c"],
  ["an empty Host", "GET /healthz HTTP/1.1\r\nHost: "],
  ["two Hosts", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1"],
  ["no Host", "GET /healthz HTTP/1.0"],
  ["no Host in HTTP/1.1", "GET /healthz HTTP/1.1"],
])("a request with %s is refused by a code and a message that names the field", async (_what, head) => {
  const answer = await send(`${head}\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).toContain('{"code":"invalid_argument","message":"Host: ');
  expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
});

async function send(request: string): Promise<string> {
  const socket = connect(Number(new URL(edge.url).port), "127.0.0.1");
  socket.end(request);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
