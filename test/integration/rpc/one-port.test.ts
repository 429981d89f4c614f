import { execFile } from "node:child_process";
import http2 from "node:http2";
import net from "node:net";
import { promisify } from "node:util";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createGrpcWebTransport as createBrowserTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { JobStatus } from "../../../src/gen/elasticjob/v1/job_pb.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { DEFAULT_LIMITS } from "../../../src/rpc/limits.ts";
import { createOnePortServer } from "../../../src/rpc/server/one-port-server.ts";
import { realClock, within } from "../../fixtures/real-time.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const run = promisify(execFile);
const JSON_TYPE = ["-H", "Content-Type: application/json"];

let node: TestNode;
beforeAll(async () => {
  node = await startNode({ limits: { sniffMs: 300 } });
});
afterAll(stopNodes);

/** Real curl: what it printed, as JSON where it is JSON, and the status. */
async function curl(path: string, ...args: string[]): Promise<{ status: number; body: string }> {
  const { stdout } = await run("curl", ["-sS", "-w", "\n%{http_code}", ...args, `${node.url}${path}`]);
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

const add = (...args: string[]) => curl("/elasticjob.v1.JobService/AddJob", "-X", "POST", ...args);

/** Sends raw bytes and resolves with all that came back when the other side closes. */
function raw(bytes: string, limitMs = 3000): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    const socket = net.connect(node.port, "127.0.0.1", () => socket.write(bytes));
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
  return within(limitMs, "the server closes the connection", answer);
}

describe("every protocol on one port", () => {
  const http1 = (): { baseUrl: string; httpVersion: "1.1" } => ({ baseUrl: node.url, httpVersion: "1.1" });
  const h2 = (): { baseUrl: string; httpVersion: "2" } => ({ baseUrl: node.url, httpVersion: "2" });
  const transports: Record<string, () => Transport> = {
    "Connect over HTTP/1.1": () => createConnectTransport(http1()),
    "Connect over HTTP/2": () => createConnectTransport(h2()),
    "Connect with JSON over HTTP/1.1": () => createConnectTransport({ ...http1(), useBinaryFormat: false }),
    "gRPC by connect-node": () => createGrpcTransport({ baseUrl: node.url }),
    "gRPC-Web over HTTP/1.1": () => createGrpcWebTransport(http1()),
    "gRPC-Web over HTTP/2": () => createGrpcWebTransport(h2()),
    "gRPC-Web by fetch, as in a browser": () => createBrowserTransport({ baseUrl: node.url }),
  };
  for (const [name, transport] of Object.entries(transports)) {
    test(`${name}: adds a job, reads it, and watches it until it ends`, async () => {
      const client = createClient(JobService, transport());
      const { jobId, created } = await client.addJob({ handler: "echo", name });
      expect(created).toBe(true);
      const { job } = await client.getJobStatus({ jobId });
      expect(job).toMatchObject({ jobId, name, status: JobStatus.PREPARED });

      const seen: JobStatus[] = [];
      for await (const { job: now } of client.watchJob({ jobId })) {
        seen.push(now?.status ?? JobStatus.UNSPECIFIED);
        if (seen.length === 1) node.api.setStatus(Number(jobId), STORED_STATUS.SUCCEEDED);
      }
      expect(seen).toEqual([JobStatus.PREPARED, JobStatus.SUCCEEDED]);
    });
  }

  test("serves HTTP/1.1 after HTTP/2 and HTTP/2 after HTTP/1.1, interleaved", async () => {
    const over1 = createClient(JobService, createConnectTransport(http1()));
    const over2 = createClient(JobService, createConnectTransport(h2()));
    for (let round = 0; round < 5; round++) {
      await over2.addJob({ handler: "echo" });
      await over1.addJob({ handler: "echo" });
    }
    const { jobId } = JSON.parse((await add(...JSON_TYPE, "-d", '{"handler":"echo"}')).body);
    expect(await over2.getJobStatus({ jobId })).toMatchObject({ job: { jobId } });
    expect((await add("--http2-prior-knowledge", ...JSON_TYPE, "-d", '{"handler":"echo"}')).status).toBe(200);
  });
});

describe("JSON by curl", () => {
  test("adds a job and answers with its id", async () => {
    const { status, body } = await add(...JSON_TYPE, "-d", '{"handler":"echo","payload":{"a":[1,null,"x"]}}');
    expect(status).toBe(200);
    const { jobId } = JSON.parse(body);
    const shown = await curl(
      "/elasticjob.v1.JobService/GetJobStatus",
      ...JSON_TYPE,
      "-d",
      JSON.stringify({ jobId }),
    );
    expect(JSON.parse(shown.body).job).toMatchObject({
      jobId,
      handler: "echo",
      payload: { a: [1, null, "x"] },
    });
  });

  test.each([
    ["an empty body", ["-d", ""], /body is empty.*handler/],
    ["no body at all", [], /body is empty.*handler/],
    ["broken JSON", ["-d", '{"handler":'], /JSON/],
    ["a JSON list", ["-d", "[]"], /JSON/],
    ["an unknown field", ["-d", '{"handler":"echo","handlr":1}'], /handlr/],
    ["an unknown field inside", ["-d", '{"handler":"echo","daily":{"at":"08:30","zone":"UTC"}}'], /zone/],
    ["two schedules", ["-d", '{"handler":"echo","immediate":{},"timed":{"delay":"1s"}}'], /schedule/],
    ["no handler", ["-d", "{}"], /handler/],
    [
      "several bad fields",
      ["-d", '{"priority":1000,"daily":{"at":"25:61"}}'],
      /handler.*daily\.at.*priority/,
    ],
    ["a negative delay", ["-d", '{"handler":"echo","timed":{"delay":"-1s"}}'], /timed\.delay/],
    ["a wrong type", ["-d", '{"handler":5}'], /handler/],
  ])("refuses %s with invalid_argument and says what is wrong", async (_, args, message) => {
    const jobs = node.api.jobs.size;
    const { status, body } = await add(...JSON_TYPE, ...args);
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(message),
    });
    expect(node.api.jobs.size).toBe(jobs);
  });

  test("refuses a payload of 2 MiB by naming the field", async () => {
    const payload = JSON.stringify({ handler: "echo", payload: "x".repeat(2 * 1024 * 1024) });
    const { jobs } = node.api;
    const before = jobs.size;
    const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJob`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: payload,
    });
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(/^payload: /),
    });
    expect(jobs.size).toBe(before);
  });

  test("refuses a body that is far too large with resource_exhausted, before reading it all", async () => {
    const body = JSON.stringify({ handler: "echo", payload: "x".repeat(20 * 1024 * 1024) });
    const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJob`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ code: "resource_exhausted" });
  });

  test("answers a path that is not there with 404", async () => {
    const { status, body } = await curl("/elasticjob.v1.JobService/Nothing", ...JSON_TYPE, "-d", "{}");
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({
      code: "unimplemented",
      message: expect.stringContaining("Nothing"),
    });
  });

  test("says which content types it takes when none is given", async () => {
    const { status, body } = await add("-d", '{"handler":"echo"}');
    expect(status).toBe(415);
    expect(JSON.parse(body).message).toMatch(/application\/json/);
  });

  test("refuses an id that no job has with not_found", async () => {
    const { status, body } = await curl(
      "/elasticjob.v1.JobService/GetJobStatus",
      ...JSON_TYPE,
      "-d",
      '{"jobId":"999999"}',
    );
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ code: "not_found" });
  });
});

describe("malformed requests do not end the process", () => {
  const head =
    "POST /elasticjob.v1.JobService/AddJob HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
  test.each([
    ["a malformed Host", `${head}Host: a b\r\nConnection: close\r\n\r\n{}`, /^HTTP\/1\.1 400 [^]*Host/],
    ["a Host with a path", `${head}Host: a/b\r\nConnection: close\r\n\r\n{}`, /^HTTP\/1\.1 400 [^]*Host/],
    ["a Host with a bad port", `${head}Host: a:b\r\nConnection: close\r\n\r\n{}`, /^HTTP\/1\.1 400 [^]*Host/],
    [
      "an open bracket as Host",
      `${head}Host: [::1\r\nConnection: close\r\n\r\n{}`,
      /^HTTP\/1\.1 400 [^]*Host/,
    ],
    [
      "two Hosts",
      `${head}Host: a\r\nhost: b\r\nConnection: close\r\n\r\n{}`,
      /^HTTP\/1\.1 400 [^]*Host: is there more/,
    ],
    [
      "the same Host twice",
      `${head}Host: a\r\nHost: a\r\nConnection: close\r\n\r\n{}`,
      /^HTTP\/1\.1 400 [^]*Host: is there more/,
    ],
    ["a missing Host", `${head}Connection: close\r\n\r\n{}`, /^HTTP\/1\.1 400 [^]*Host/],
    ["HTTP/1.0 without a Host", `${head.replace("HTTP/1.1", "HTTP/1.0")}\r\n{}`, /^HTTP\/1\.1 400 [^]*Host/],
    ["no HTTP at all", "hello there\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a broken HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", /./],
  ])("%s", async (_, bytes, answer) => {
    expect(await raw(bytes)).toMatch(answer);
    expect((await add(...JSON_TYPE, "-d", '{"handler":"echo"}')).status).toBe(200);
  });

  test("HTTP/1.0 with a Host is served", async () => {
    const body = '{"handler":"echo"}';
    const answer = await raw(
      `POST /elasticjob.v1.JobService/AddJob HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*jobId/);
  });

  test("a request that comes byte by byte is served", async () => {
    const body = '{"handler":"echo"}';
    const bytes = `POST /elasticjob.v1.JobService/AddJob HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const socket = net.connect({ port: node.port, host: "127.0.0.1", noDelay: true });
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    const closed = new Promise((resolve) => socket.on("close", resolve));
    for (const byte of bytes) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await within(3000, "an answer", closed);
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("an HTTP/2 request with a malformed authority is refused, and its connection goes on", async () => {
    const session = http2.connect(node.url);
    const ask = (authority: string) =>
      new Promise<number>((resolve, reject) => {
        const stream = session.request({
          ":method": "POST",
          ":path": "/elasticjob.v1.JobService/AddJob",
          ":authority": authority,
          "content-type": "application/json",
        });
        stream.on("response", (headers) => resolve(Number(headers[":status"])));
        stream.on("error", reject);
        stream.end('{"handler":"echo"}');
        stream.resume();
      });
    expect(await ask("a:b")).toBe(400);
    expect(await ask("localhost")).toBe(200);
    session.destroy();
  });

  test.each([
    ["nothing", ""],
    ["only a P", "P"],
    ["half a header", "POST /elasticjob.v1.JobService/AddJob HTTP/1.1\r\nHost: a"],
    ["a preface and nothing more", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])("a connection that sends %s is closed when its time is over", async (_, bytes) => {
    await raw(bytes, 3000);
  });

  test("a connection that is reset while it is looked at is forgotten", async () => {
    const socket = net.connect(node.port, "127.0.0.1", () => {
      socket.write("P");
      socket.resetAndDestroy();
    });
    await new Promise((resolve) => socket.on("close", resolve));
    expect((await add(...JSON_TYPE, "-d", '{"handler":"echo"}')).status).toBe(200);
  });
});

test("a port that is taken is refused with a message that names PORT", async () => {
  const server = createOnePortServer({
    handler: () => {},
    clock: realClock,
    logger: recordingLogger(),
    limits: DEFAULT_LIMITS,
    tls: null,
  });
  await expect(server.listen("127.0.0.1", node.port)).rejects.toThrow(
    new RegExp(`PORT: ${node.port} .*taken`),
  );
});

test("what fails unexpectedly is logged with its cause, and only an id of it is shown", async () => {
  const broken = await startNode();
  broken.api.readJob = () => Promise.reject(new Error("SELECT secret FROM table"));
  const client = createClient(
    JobService,
    createConnectTransport({ baseUrl: broken.url, httpVersion: "1.1" }),
  );
  const error: Error = await client.getJobStatus({ jobId: "1" }).then(
    () => expect.unreachable(),
    (e) => e,
  );
  expect(error.message).toMatch(/^\[internal\] internal error; .*under [0-9a-f]{8}$/);
  const [logged] = broken.logger.errors;
  expect(logged?.fields).toMatchObject({ error: { message: "SELECT secret FROM table" } });
  expect(error.message).toContain(logged?.fields["id"]);
});
