/** Refusals of what is no call of ours, or not in the form that it says: each has words, in the form of its protocol. */
import http2 from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEdge } from "../../../src/edge/app.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

let node: TestNode;
let edge: ReturnType<typeof createEdge>;
beforeAll(async () => {
  node = await startNode();
  edge = createEdge({ upstreams: [node.url], allowedOrigins: [], isOpen: true });
});
afterAll(stopNodes);

type Target = "node" | "edge";
const TARGETS: readonly Target[] = ["node", "edge"];

interface Sent {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
  readonly verb?: string;
}

async function call(target: Target, method: string, { type, body, headers, verb = "POST" }: Sent) {
  const init = {
    method: verb,
    headers: { "content-type": type, ...headers },
    ...(verb === "POST" && { body }),
  };
  const url = `${target === "node" ? node.url : "http://edge"}/elasticjob.v1.JobService/${method}`;
  const response = await (target === "node" ? fetch(url, init) : edge.fetch(new Request(url, init)));
  return {
    status: response.status,
    headers: response.headers,
    text: Buffer.from(await response.arrayBuffer()).toString("latin1"),
  };
}

const ECHO = '{"handler":"echo"}';

describe.each(TARGETS)("a content type at the %s", (target) => {
  test.each([
    "application/json",
    "application/json; charset=utf-8",
    'application/json; charset="UTF-8"',
    "Application/JSON;Charset=UTF8",
    'application/json ; profile="a;b" ; charset=utf-8',
    "application/json; version=1;",
    "application/json; charset=us-ascii",
  ])("is the same however it is written: %s", async (type) => {
    const { status, text } = await call(target, "AddJob", { type, body: ECHO });
    expect(JSON.parse(text)).toHaveProperty("jobId");
    expect(status).toBe(200);
  });

  test.each([
    ["AddJob", "text/plain", /^Content-Type: "text\/plain" is not known; application\/json/],
    [
      "AddJob",
      "application/json; charset=latin1",
      /^Content-Type: charset "latin1" is not known; utf-8 is accepted/,
    ],
    [
      "AddJob",
      "application/connect+json",
      /"application\/connect\+json" is for streams, and AddJob has one answer: application\/json is accepted/,
    ],
    ["AddJob", "application/connect+proto; q=1", /is for streams/],
    [
      "WatchJob",
      "application/json",
      /^Content-Type: "application\/json" is for calls of one answer, and WatchJob is a stream: application\/connect\+json/,
    ],
    ["WatchJob", "application/proto", /WatchJob is a stream/],
  ])("of %s is refused in words: %s", async (method, type, message) => {
    const { status, text, headers } = await call(target, method, { type, body: "{}" });
    expect(status).toBe(415);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    const answer = JSON.parse(text);
    expect(answer).toEqual({ code: "invalid_argument", message: expect.stringMatching(message) });
    expect(answer.message.length).toBeLessThan(500);
  });
});

test.each(TARGETS)("a content type of any length is refused shortly, at the %s", async (target) => {
  const { text } = await call(target, "AddJob", { type: `x${"y".repeat(10_000)}`, body: "{}" });
  expect(JSON.parse(text).message).toMatch(/^Content-Type: "xy{79}.{1,3}" is not known; /);
  expect(text.length).toBeLessThan(500);
});

test("a body without a content type is taken as JSON by the edge, also for a stream's refusal", async () => {
  const watch = (headers: Record<string, string>) =>
    edge.fetch(
      new Request("http://edge/JobService/WatchJob", { method: "POST", headers, body: '{"jobId":"1"}' }),
    );
  const answer = await watch({ "content-type": "application/x-www-form-urlencoded" });
  expect(answer.status).toBe(415);
  expect(await answer.json()).toMatchObject({ message: expect.stringContaining("application/connect+json") });
});

test("another verb, and HTTP/1.1 for what needs HTTP/2, are refused in words", async () => {
  const got = await call("node", "AddJob", { type: "application/json", body: "", verb: "GET" });
  expect(got.status).toBe(405);
  expect(got.headers.get("allow")).toBe("POST");
  expect(JSON.parse(got.text)).toEqual({ code: "unimplemented", message: "GET: AddJob takes POST only" });
  const streamed = await call("node", "StreamAddJobs", { type: "application/connect+json", body: "" });
  expect(streamed.status).toBe(505);
  expect(JSON.parse(streamed.text)).toMatchObject({ message: expect.stringContaining("needs HTTP/2") });
});

describe.each(TARGETS)("a time that no call can have is refused in words, at the %s", (target) => {
  const MS = "a whole number of milliseconds from 1 to 86400000 is accepted";
  test.each(["abc", "-1", "1.5", "0", "86400001", "99999999999999"])("by Connect: %s", async (given) => {
    const headers = { "connect-timeout-ms": given };
    const error = {
      code: given === "0" ? "deadline_exceeded" : "invalid_argument",
      message: `connect-timeout-ms: is "${given}"; ${MS}`,
    };
    for (const method of ["AddJob", "GetAllJobs"]) {
      const { text } = await call(target, method, { type: "application/json", body: ECHO, headers });
      expect(JSON.parse(text)).toMatchObject(error);
    }
    const stream = { type: "application/connect+json", body: envelope(Buffer.from("{}")), headers };
    const { text } = await call(target, "WatchJob", stream);
    expect(JSON.parse(text.slice(5))).toMatchObject({ error });
  });

  test.each(["abc", "1h", "0m", "0n", "25H", "999999999m"])("by gRPC-Web: %s", async (given) => {
    const headers = { "grpc-timeout": given };
    const type = "application/grpc-web+json";
    const { text } = await call(target, "AddJob", { type, body: envelope(Buffer.from(ECHO)), headers });
    expect(text).toContain(`grpc-status: ${given.startsWith("0") ? 4 : 3}\r\n`);
    expect(decodeURIComponent(text)).toContain(
      `grpc-message: grpc-timeout: is "${given}"; up to eight digits and a unit (H, M, S, m, u or n), more than 0 and up to 24H, are accepted`,
    );
  });

  test("and one that it can have is not", async () => {
    for (const given of ["1000", "86400000"]) {
      const headers = { "connect-timeout-ms": given };
      const { status } = await call(target, "AddJob", { type: "application/json", body: ECHO, headers });
      expect(status).toBe(200);
    }
    const headers = { "grpc-timeout": "2S" };
    const body = envelope(Buffer.from(ECHO));
    const { text } = await call(target, "AddJob", { type: "application/grpc-web+json", body, headers });
    expect(text).toContain("grpc-status: 0");
  });
});

/** Announces more than there is. */
const GARBAGE = new Uint8Array([0x0a, 0xff, 0x01, 0x02]);
const NO_MESSAGE =
  /^the body: is no elasticjob\.v1\.\w+ in protobuf's binary form \(.+\); that is accepted, or JSON as application\/json$/;
const NOT_COMPRESSED = /^the body: is not compressed as the call says; gzip and br are accepted/;

function envelope(data: Uint8Array, flags = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + data.byteLength);
  bytes[0] = flags;
  new DataView(bytes.buffer).setUint32(1, data.byteLength);
  bytes.set(data, 5);
  return bytes;
}

describe("bytes that are no message of protobuf's are the caller's fault", () => {
  test.each(TARGETS)("in Connect, at the %s", async (target) => {
    const { status, text } = await call(target, "AddJob", { type: "application/proto", body: GARBAGE });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(NO_MESSAGE),
    });
  });

  test.each(TARGETS)("in a stream of Connect's, at the %s", async (target) => {
    const body = envelope(GARBAGE);
    const { text } = await call(target, "WatchJob", { type: "application/connect+proto", body });
    expect(JSON.parse(text.slice(5))).toMatchObject({
      error: { code: "invalid_argument", message: expect.stringMatching(NO_MESSAGE) },
    });
  });

  test.each(TARGETS)("in gRPC-Web, at the %s", async (target) => {
    const type = "application/grpc-web+proto";
    const { text } = await call(target, "AddJob", { type, body: envelope(GARBAGE) });
    expect(text).toContain("grpc-status: 3\r\n");
    const said = /grpc-message: (.*)\r\n/.exec(text)?.[1] ?? "";
    expect(decodeURIComponent(said)).toMatch(NO_MESSAGE);
    expect(Buffer.from(text, "latin1").readUInt32BE(1)).toBe(text.length - 5);
  });

  test.each([
    ["AddJob", GARBAGE, {}, 0, NO_MESSAGE],
    ["WatchJob", GARBAGE, {}, 0, NO_MESSAGE],
    ["StreamAddJobs", GARBAGE, {}, 0, /^the body: |protobuf/],
    ["AddJob", gzipSync(ECHO).subarray(0, 12), { "grpc-encoding": "gzip" }, 1, NOT_COMPRESSED],
    ["AddJob", GARBAGE, {}, 1, NOT_COMPRESSED],
  ])("in gRPC: %s", async (method, data, headers, flags, message) => {
    const trailers = await grpc(method, envelope(new Uint8Array(data), flags), headers);
    expect(trailers["grpc-status"]).toBe("3");
    expect(trailers["grpc-message"]).toMatch(message);
  });

  test.each([
    ["AddJob", "application/json"],
    ["GetAllJobs", "application/json"],
    ["GetAllJobs", "application/proto"],
    ["AddJob", "application/proto"],
    ["GetAllJobs", "application/grpc-web+json"],
    ["WatchJob", "application/connect+json"],
  ])("and so is what is not compressed at all: %s of %s", async (method, type) => {
    const isEnveloped = /connect|grpc/.test(type);
    const body = isEnveloped ? envelope(Buffer.from("{}"), 1) : "{}";
    const name = type.includes("connect") ? "connect-content-encoding" : "grpc-encoding";
    const headers = { [isEnveloped ? name : "content-encoding"]: "gzip" };
    const { text } = await call("node", method, { type, body, headers });
    expect(decodeURIComponent(text)).toContain("the body: is not compressed as the call says; gzip and br");
    expect(text).toMatch(/"invalid_argument"|grpc-status: 3/);
  });

  test.each([
    ["AddJob", "application/json", { "content-encoding": "gzip" }, (inflating: Uint8Array) => inflating],
    ["GetAllJobs", "application/json", { "content-encoding": "gzip" }, (inflating: Uint8Array) => inflating],
    [
      "GetAllJobs",
      "application/grpc-web+json",
      { "grpc-encoding": "gzip" },
      (inflating: Uint8Array) => envelope(inflating, 1),
    ],
  ])("what inflates to too much is refused in words: %s of %s", async (method, type, headers, bodyOf) => {
    const body = new Uint8Array(bodyOf(new Uint8Array(gzipSync(Buffer.alloc(100_000_000)))));
    const { text } = await call("node", method, { type, body, headers });
    expect(decodeURIComponent(text)).toMatch(
      /the body: has more than \d+ bytes when it is decompressed; up to that are accepted/,
    );
    expect(text).toMatch(/"resource_exhausted"|grpc-status: 8/);
  });

  const UNFRAMED = Buffer.from('{"handler":"echo"}');
  test.each([
    ["GetAllJobs", "application/grpc-web+json"],
    ["WatchJob", "application/connect+json"],
    ["WatchJob", "application/grpc-web+proto"],
    ["AddJob", "application/grpc-web+json"],
  ])("a message without the frame of its protocol is refused in words: %s of %s", async (method, type) => {
    const { text } = await call("node", method, { type, body: new Uint8Array(UNFRAMED) });
    expect(decodeURIComponent(text)).toMatch(
      /the body: has a message of 577\d{6} bytes, by the frame before it \(a byte of flags, and four of the length\); up to \d+ are accepted/,
    );
    expect(text).toMatch(/"resource_exhausted"|grpc-status: 8/);
  });

  test.each([
    ["GetAllJobs", "application/grpc-web+json"],
    ["AddJob", "application/grpc-web+json"],
    ["WatchJob", "application/connect+json"],
  ])("a message that is larger than may be is refused in words: %s of %s", async (method, type) => {
    const body = envelope(Buffer.alloc(0));
    new DataView(body.buffer).setUint32(1, 500_000_000);
    const { text } = await call("node", method, { type, body });
    expect(decodeURIComponent(text)).toMatch(
      /the body: has a message of 500000000 bytes(, by the frame before it .*)?; up to \d+ are accepted/,
    );
    expect(text).toMatch(/"resource_exhausted"|grpc-status: 8/);
  });

  test.each([
    ["GetAllJobs", "application/grpc-web+json", envelope(Buffer.from("{}")).subarray(0, 6)],
    ["AddJob", "application/grpc-web+json", envelope(Buffer.from(ECHO)).subarray(0, 12)],
    ["WatchJob", "application/connect+json", envelope(Buffer.from("{}")).subarray(0, 3)],
  ])("a message of which the end is missing is refused in words: %s of %s", async (method, type, body) => {
    const { text } = await call("node", method, { type, body: new Uint8Array(body) });
    expect(decodeURIComponent(text)).toContain(
      "the body: ends within a message; whole messages are accepted",
    );
    expect(text).toMatch(/"invalid_argument"|grpc-status: 3/);
  });

  test("and so is what is not compressed as it says", async () => {
    const body = new Uint8Array(gzipSync(ECHO).subarray(0, 12));
    const headers = { "content-encoding": "gzip" };
    const { status, text } = await call("node", "AddJob", { type: "application/json", body, headers });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({
      code: "invalid_argument",
      message: expect.stringMatching(NOT_COMPRESSED),
    });
  });
});

function grpc(
  method: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<http2.IncomingHttpHeaders> {
  const session = http2.connect(node.url);
  const ended = new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": `/elasticjob.v1.JobService/${method}`,
      "content-type": "application/grpc+proto",
      te: "trailers",
      ...headers,
    });
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on("trailers", (given) => {
      trailers = given;
    });
    stream.on("error", reject);
    stream.on("end", () => resolve(trailers));
    stream.resume();
    stream.end(body);
  });
  return ended.finally(() => session.destroy());
}
