import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect as connectSocket, createServer } from "node:net";
import { promisify } from "node:util";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { operators } from "../../../src/core/callers/api-tokens.ts";
import { SILENT_MS } from "../../../src/core/readiness/why-not-ready.ts";
import { createEdge, type EdgeOptions } from "../../../src/edge/app.ts";
import { fromBase64 } from "../../../src/edge/grpc-web-text.ts";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { refusingPort, type SmallJobServer, startSmallJobServer } from "../../fixtures/small-job-server.ts";
import { until } from "../../fixtures/until.ts";

const run = promisify(execFile);

let server: SmallJobServer;
let edge: RunningEdge;
beforeEach(async () => {
  server = await startSmallJobServer();
  edge = await start();
});
afterEach(async () => {
  await edge.close(0);
  await server.close();
});

/** What a busy machine may add to a timer. */
const BUSY_MS = 250;
/** As docs/operating.md promises. */
const TOLD_WITHIN_MS = 3_000;
const ALLOWED = "https://ops.example.com";
const options = (changes: Partial<EdgeOptions> = {}): EdgeOptions => ({
  upstreams: [server.url],
  allowedOrigins: [ALLOWED],
  isOpen: true,
  ...changes,
});
const start = (changes?: Partial<EdgeOptions>) =>
  startEdge({ ...options(changes), host: "127.0.0.1", port: 0 });
const app = (changes?: Partial<EdgeOptions>) => createEdge(options(changes));

function post(path: string, body: string, headers: Record<string, string> = {}): Request {
  return new Request(`http://127.0.0.1${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

const unavailable = () => {
  throw new ConnectError("no master right now", Code.Unavailable);
};

describe("passing on", () => {
  test("takes a plain curl -d without a content type as JSON", async () => {
    const { stdout } = await run("curl", [
      "-sS",
      "-X",
      "POST",
      `${edge.url}/JobService/AddJob`,
      "-d",
      '{"handler": "echo", "payload": {"hello": "world"}}',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ jobId: "1", created: true });
    const bare = await run("curl", [
      "-sS",
      "-H",
      "Content-Type:",
      `${edge.url}/JobService/AddJob`,
      "-d",
      '{"handler":"echo"}',
    ]);
    expect(JSON.parse(bare.stdout)).toMatchObject({ jobId: "2" });
  });

  test("takes an empty body as an empty request, so that the answer names the missing field", async () => {
    const { stdout } = await run("curl", [
      "-sS",
      "-X",
      "POST",
      `${edge.url}/elasticjob.v1.JobService/AddJob`,
    ]);
    expect(JSON.parse(stdout)).toEqual({ code: "invalid_argument", message: "handler: required" });
  });

  test("takes curl's large bodies, sent after a 100-continue", async () => {
    const payload = "x".repeat(2_000_000);
    const curl = execFile("curl", ["-sS", `${edge.url}/JobService/AddJob`, "-d", "@-"]);
    let stdout = "";
    curl.stdout?.on("data", (chunk) => {
      stdout += chunk;
    });
    curl.stdin?.end(JSON.stringify({ handler: "echo", payload }));
    await new Promise((resolve) => curl.once("close", resolve));
    expect(JSON.parse(stdout)).toMatchObject({ jobId: "1" });
  });

  const transports: [string, () => Transport][] = [
    ["Connect with JSON", () => createConnectTransport({ baseUrl: edge.url })],
    ["Connect with binary", () => createConnectTransport({ baseUrl: edge.url, useBinaryFormat: true })],
    ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: edge.url })],
  ];
  test.each(transports)("passes on calls, errors and streams in %s", async (_, transport) => {
    const client = createClient(JobService, transport());
    expect(await client.addJob({ handler: "echo" })).toMatchObject({ jobId: "1", created: true });
    await expect(client.getJobStatus({ jobId: "9" })).rejects.toMatchObject({ code: Code.NotFound });
    const states: (string | undefined)[] = [];
    for await (const { job } of client.watchJob({ jobId: "1" })) states.push(job?.jobId);
    expect(states).toEqual(["1"]);
  });

  test("speaks the text form of gRPC-Web, which nodes do not know", async () => {
    const frame = Uint8Array.of(0, 0, 0, 0, 6, 0x12, 4, ...new TextEncoder().encode("echo"));
    const answer = await app().fetch(
      post("/elasticjob.v1.JobService/AddJob", frame.toBase64(), {
        "content-type": "application/grpc-web-text",
      }),
    );
    expect(answer.headers.get("content-type")).toBe("application/grpc-web-text+proto");
    const bytes = fromBase64(new Uint8Array(await answer.arrayBuffer()));
    // The message's frame with job_id "1", then the trailers' frame.
    expect(bytes?.[0]).toBe(0);
    expect(new TextDecoder().decode(bytes ?? undefined)).toContain("grpc-status: 0");
    const broken = await app().fetch(
      post("/elasticjob.v1.JobService/AddJob", "*", { "content-type": "application/grpc-web-text" }),
    );
    expect(await refused(broken)).toMatchObject({ status: 400, message: expect.stringContaining("base64") });
  });

  test("hands a stream's message over before the stream has ended", async () => {
    const client = createClient(JobService, createConnectTransport({ baseUrl: edge.url }));
    await client.addJob({ handler: "slow" });
    const caller = new AbortController();
    const states = client.watchJob({ jobId: "1" }, { signal: caller.signal })[Symbol.asyncIterator]();
    expect((await states.next()).value).toMatchObject({ job: { jobId: "1" } });
    expect(server.watchSignals[0]?.aborted).toBe(false);
    const next = states.next();
    caller.abort();
    await expect(next).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => server.watchSignals[0]?.aborted, { timeout: 5_000 }).toBe(true);
  });

  test("breaks a stream off when its node does", async () => {
    const client = createClient(JobService, createConnectTransport({ baseUrl: edge.url }));
    await client.addJob({ handler: "slow" });
    const states = client.watchJob({ jobId: "1" })[Symbol.asyncIterator]();
    await states.next();
    const [next] = await Promise.allSettled([states.next(), server.close()]);
    expect(next).toMatchObject({ status: "rejected", reason: expect.any(ConnectError) });
  });

  test("aborts the node's call when the caller goes away", async () => {
    const entered = Promise.withResolvers<AbortSignal>();
    server.before = (_method, context) => {
      entered.resolve(context.signal);
      return new Promise((resolve) => context.signal.addEventListener("abort", () => resolve()));
    };
    const caller = new AbortController();
    const call = fetch(`${edge.url}/JobService/GetAllJobs`, {
      method: "POST",
      body: "{}",
      signal: caller.signal,
      headers: { "content-type": "application/json" },
    });
    const signal = await entered.promise;
    caller.abort();
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => signal.aborted, { timeout: 5_000 }).toBe(true);
  });

  test("tells the node the caller's deadline, or its own", async () => {
    await app().fetch(post("/JobService/GetAllJobs", "{}", { "connect-timeout-ms": "3000" }));
    await app().fetch(post("/JobService/GetAllJobs", "{}"));
    const [given, own] = server.calls.map(({ headers }) => Number(headers["connect-timeout-ms"]));
    expect(given).toBeGreaterThan(2_000);
    expect(given).toBeLessThanOrEqual(3_000);
    expect(own).toBeGreaterThan(9_000);
  });

  test("gives an add a key when the caller gave none, and leaves the caller's alone", async () => {
    await app().fetch(post("/JobService/AddJob", '{"handler":"echo"}'));
    await app().fetch(post("/JobService/AddJob", '{"handler":"echo"}', { "idempotency-key": "mine" }));
    const keys = server.callsOf("AddJob").map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe("mine");
  });
});

const refused = async (response: Response | Promise<Response>) => {
  const { status, headers } = await response;
  expect(headers.get("content-type")).toContain("application/json");
  return { status, ...((await (await response).json()) as { code: string; message: string }) };
};

describe("refusing", () => {
  test("names what exists when a method does not", async () => {
    const answer = await refused(app().fetch(post("/JobService/AddJbo", "{}")));
    expect(answer).toMatchObject({ status: 404, code: "unimplemented" });
    expect(answer.message).toContain("/JobService/AddJob,");
    expect((await app().fetch(post("/elasticjob.v1.NodeService/Identify", "{}"))).status).toBe(404);
  });

  test("takes calls by POST only", async () => {
    const answer = await app().fetch(new Request("http://127.0.0.1/JobService/AddJob"));
    expect(answer.headers.get("allow")).toContain("POST");
    expect(await refused(answer)).toMatchObject({ status: 405, code: "unimplemented" });
  });

  test("refuses content types that no node understands, by name", async () => {
    const answer = await refused(
      app().fetch(post("/JobService/AddJob", "{}", { "content-type": "text/plain" })),
    );
    expect(answer).toMatchObject({ status: 415, code: "invalid_argument" });
    expect(answer.message).toContain('"text/plain"');
  });

  test("refuses a body over 64 MiB, whether its length is announced or not", async () => {
    const announced = post("/JobService/AddJob", "{}", { "content-length": String(64 * 1024 * 1024 + 1) });
    expect(await refused(app().fetch(announced))).toMatchObject({ status: 413, code: "resource_exhausted" });
    const chunk = new Uint8Array(1024 * 1024);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ < 70) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const init: RequestInit & { duplex: "half" } = {
      method: "POST",
      body,
      duplex: "half",
    };
    const streamed = new Request("http://127.0.0.1/JobService/AddJob", init);
    expect(await refused(app().fetch(streamed))).toMatchObject({ status: 413, code: "resource_exhausted" });
  });

  test("survives a malformed Host", async () => {
    const socket = connectSocket(Number(new URL(edge.url).port), "127.0.0.1");
    socket.end("GET /healthz HTTP/1.1\r\nHost: a b:c\r\nConnection: close\r\n\r\n");
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 /);
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
  });
});

describe("browsers", () => {
  test("lets an allowed origin call and read", async () => {
    const answer = await app().fetch(post("/JobService/AddJob", '{"handler":"echo"}', { origin: ALLOWED }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe(ALLOWED);
    const preflight = await app().fetch(
      new Request("http://127.0.0.1/JobService/AddJob", {
        method: "OPTIONS",
        headers: { origin: ALLOWED, "access-control-request-method": "POST" },
      }),
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("idempotency-key");
  });

  test("refuses any other origin before the call reaches a node", async () => {
    for (const origin of ["https://evil.example", "null"]) {
      const answer = await app().fetch(post("/JobService/AddJob", '{"handler":"echo"}', { origin }));
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({
        code: "permission_denied",
        message: expect.stringContaining(origin),
      });
    }
    expect(server.calls).toEqual([]);
  });

  test("lets its own page call", async () => {
    const answer = await fetch(`${edge.url}/JobService/GetAllJobs`, {
      method: "POST",
      body: "{}",
      headers: { origin: edge.url, "content-type": "application/json" },
    });
    expect(answer.status).toBe(200);
  });

  test("without tokens, answers only callers of this machine, by its names and not for others, unless it is open", async () => {
    const closed = app({ isOpen: false });
    const ask = (
      remote: string | undefined,
      headers: Record<string, string>,
      path = "/JobService/GetAllJobs",
    ) => closed.fetch(post(path, "{}", headers), { remote });
    const host = "localhost:8080";
    for (const local of ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"]) {
      expect((await ask("127.0.0.1", { host: local })).status).toBe(200);
    }
    for (const [remote, headers] of [
      ["127.0.0.1", { host: "evil.example:8080" }],
      ["127.0.0.1", { host, "x-forwarded-for": "10.0.0.9" }],
      ["127.0.0.1", { host, forwarded: "for=10.0.0.9" }],
      ["10.0.0.9", { host }],
      [undefined, { host }],
    ] as const) {
      const answer = await ask(remote, headers);
      expect([answer.status, await answer.json()]).toEqual([
        401,
        { code: "unauthenticated", message: expect.stringMatching(/API_TOKENS.*OPEN_API=on/) },
      ]);
      expect((await closed.fetch(new Request("http://x/", { headers }), { remote })).status).toBe(401);
    }
    expect((await closed.fetch(new Request("http://x/healthz"))).status).toBe(200);
  });

  test("serves a page that needs nothing from elsewhere", async () => {
    const answer = await fetch(`${edge.url}/`);
    const page = await answer.text();
    expect(answer.headers.get("content-type")).toContain("text/html");
    expect(page).toContain(`curl -X POST ${edge.url}/JobService/AddJob -d`);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(/);
    const nonce = /<style nonce="([^"]{16,})">/.exec(page)?.[1];
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy.split("; ")).toEqual(
      expect.arrayContaining(["default-src 'none'", `style-src 'nonce-${nonce}'`, "frame-ancestors 'none'"]),
    );
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(answer.headers.get("x-frame-options")).toBe("DENY");
  });
});

describe("tokens", () => {
  const TOKEN = "a-token-that-is-long-enough";
  const call = (headers: Record<string, string>, path = "/JobService/GetAllJobs") =>
    app({ tokens: () => operators(["another-token-for-others", TOKEN]) }).fetch(post(path, "{}", headers));

  test("asks for one before a call reaches a node, and passes the caller's on", async () => {
    for (const headers of [{}, { authorization: `Bearer ${TOKEN}x` }, { authorization: `Basic ${TOKEN}` }]) {
      const answer = await refused(call(headers as Record<string, string>));
      expect(answer).toMatchObject({ status: 401, code: "unauthenticated" });
    }
    expect(server.calls).toEqual([]);
    const authorization = `Bearer ${TOKEN}`;
    expect((await call({ authorization })).status).toBe(200);
    expect(server.calls[0]?.headers).toMatchObject({ authorization });
  });

  test("leaves asking to the nodes when it knows none itself", async () => {
    expect(
      (await app().fetch(post("/JobService/GetAllJobs", "{}", { authorization: "Bearer x" }))).status,
    ).toBe(200);
    expect(server.calls[0]?.headers).toMatchObject({ authorization: "Bearer x" });
  });

  test("asks nobody for one who only wants to know whether it is up", async () => {
    const guarded = app({ tokens: () => operators([TOKEN]) });
    for (const path of ["/healthz", "/readyz", "/"]) expect((await guarded.request(path)).status).toBe(200);
  });

  test("lets a browser read the refusal", async () => {
    const answer = await call({ origin: ALLOWED });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ALLOWED);
    expect(answer.status).toBe(401);
  });
});

describe("load", () => {
  test("refuses what is more than it can hold, and says that nothing was done", async () => {
    const release = Promise.withResolvers<void>();
    server.before = () => release.promise;
    const small = app({ maxCalls: 2 });
    const held = [1, 2].map(() => small.fetch(post("/JobService/GetAllJobs", "{}")));
    await expect.poll(() => server.calls.length, { timeout: 5_000 }).toBe(2);
    const answer = await small.fetch(post("/JobService/AddJob", '{"handler":"echo"}'));
    expect(answer.headers.get("elastic-job-not-run")).toBe("1");
    expect(await refused(answer)).toMatchObject({ status: 503, code: "unavailable" });
    release.resolve();
    for (const call of held) expect((await call).status).toBe(200);
    expect((await small.fetch(post("/JobService/GetAllJobs", "{}"))).status).toBe(200);
  });

  test("counts a stream until it ends or its caller leaves", async () => {
    const small = app({ maxCalls: 1 });
    await small.fetch(post("/JobService/AddJob", '{"handler":"slow"}'));
    const client = createClient(
      JobService,
      createConnectTransport({
        baseUrl: "http://127.0.0.1",
        fetch: async (input, init) => small.fetch(new Request(input, init)),
      }),
    );
    const caller = new AbortController();
    const states = client.watchJob({ jobId: "1" }, { signal: caller.signal })[Symbol.asyncIterator]();
    await states.next();
    expect((await small.fetch(post("/JobService/GetAllJobs", "{}"))).status).toBe(503);
    const next = states.next();
    caller.abort();
    await expect(next).rejects.toMatchObject({ code: Code.Canceled });
    const status = async () => (await small.fetch(post("/JobService/GetAllJobs", "{}"))).status;
    await expect.poll(status, { timeout: 5_000 }).toBe(200);
  });
});

describe("nodes that fail", () => {
  test("asks another node when one takes a call and says nothing, and aborts the first call", async () => {
    const silent = await startSmallJobServer();
    const entered = Promise.withResolvers<AbortSignal>();
    silent.before = (_method, context) => {
      entered.resolve(context.signal);
      return new Promise((resolve) => context.signal.addEventListener("abort", () => resolve()));
    };
    try {
      const edgeOfTwo = app({ upstreams: [silent.url, server.url] });
      const answer = await edgeOfTwo.fetch(post("/JobService/AddJob", '{"handler":"echo"}'));
      expect(await answer.json()).toMatchObject({ jobId: "1" });
      const signal = await entered.promise;
      await expect.poll(() => signal.aborted, { timeout: 5_000 }).toBe(true);
      const keys = [silent, server].map((one) => one.callsOf("AddJob")[0]?.headers["idempotency-key"]);
      expect(keys[0]).toBe(keys[1]);
    } finally {
      await silent.close();
    }
  });

  test.each([
    ["at once", "an add", 0, '{"handler":"echo"}', "/JobService/AddJob"],
    ["at once", "a read", 0, '{"jobId":"1"}', "/JobService/GetJobStatus"],
    [
      "after they were silent",
      "a large add",
      2_500,
      `{"handler":"${"x".repeat(20_000)}"}`,
      "/JobService/AddJob",
    ],
  ])("sends what breaks nodes %s to one other at most: %s", async (_, __, ms, body, path) => {
    const sentTo: string[] = [];
    const breaking: typeof fetch = async (input) => {
      sentTo.push(new URL(String(input)).host);
      await new Promise((resolve) => setTimeout(resolve, ms));
      throw new TypeError("fetch failed", {
        cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
      });
    };
    const upstreams = ["http://a", "http://b", "http://c"];
    const answer = await app({ upstreams, fetch: breaking }).fetch(post(path, body));
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining("connection broke") });
    expect(sentTo).toEqual(["a", "b"]);
  });

  test("takes a call that broke a node to another one, which answers", async () => {
    let broken = 0;
    const breaking: typeof fetch = async (input, init) => {
      if (String(input).startsWith(server.url)) return fetch(input, init);
      broken++;
      throw new TypeError("fetch failed", { cause: new Error("other side closed") });
    };
    const answer = await app({ upstreams: ["http://a", server.url], fetch: breaking }).fetch(
      post("/JobService/AddJob", '{"handler":"echo"}'),
    );
    expect(answer.status).toBe(200);
    expect(broken).toBe(1);
  });

  test("goes to the next node when one refuses the connection, and stays there", async () => {
    const dead = `http://127.0.0.1:${await refusingPort()}`;
    const edgeApp = app({ upstreams: [dead, server.url] });
    expect((await edgeApp.fetch(post("/JobService/DeleteJob", '{"jobId":"9"}'))).status).toBe(404);
    expect((await edgeApp.fetch(post("/JobService/GetAllJobs", "{}"))).status).toBe(200);
  });

  test("waits for a node that comes back, within the deadline", async () => {
    const port = await refusingPort();
    const firstRefusal = Promise.withResolvers<void>();
    const noticing: typeof fetch = (...call) =>
      fetch(...call).catch((error: unknown) => {
        firstRefusal.resolve();
        throw error;
      });
    const edgeApp = app({ upstreams: [`http://127.0.0.1:${port}`], fetch: noticing });
    const answer = edgeApp.fetch(post("/JobService/AddJob", '{"handler":"echo"}'));
    await firstRefusal.promise;
    const late = await startSmallJobServer(port);
    expect((await answer).status).toBe(200);
    await late.close();
  });

  test("says unavailable when none answered by the deadline", async () => {
    const dead = `http://127.0.0.1:${await refusingPort()}`;
    const answer = await app({ upstreams: [dead] }).fetch(
      post("/JobService/AddJob", '{"handler":"echo"}', { "connect-timeout-ms": "200" }),
    );
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(dead),
    });
  });

  test("repeats an add under one key while its node is unavailable", async () => {
    let left = 2;
    server.before = () => (left-- > 0 ? unavailable() : undefined);
    const answer = await app().fetch(post("/JobService/AddJob", '{"handler":"echo"}'));
    expect(answer.status).toBe(200);
    expect(new Set(server.callsOf("AddJob").map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });

  test("does not repeat a delete that may have happened", async () => {
    await app().fetch(post("/JobService/AddJob", '{"handler":"echo"}'));
    server.before = unavailable;
    expect((await app().fetch(post("/JobService/DeleteJob", '{"jobId":"1"}'))).status).toBe(503);
    expect(server.callsOf("DeleteJob")).toHaveLength(1);
  });

  test("repeats even an update when the node says that nothing was done", async () => {
    await app().fetch(post("/JobService/AddJob", '{"handler":"slow"}'));
    let left = 1;
    server.before = (method) => {
      if (method === "UpdateJob" && left-- > 0) {
        throw new ConnectError("no master", Code.Unavailable, {
          "elastic-job-not-run": "1",
          "retry-after-ms": "50",
        });
      }
    };
    const answer = await app().fetch(post("/JobService/UpdateJob", '{"jobId":"1","job":{"name":"n"}}'));
    expect(answer.status).toBe(200);
    expect(server.callsOf("UpdateJob")).toHaveLength(2);
  });

  test("ends a call that no node answers shortly before its deadline, and says who has not answered for how long", async () => {
    const release = Promise.withResolvers<void>();
    onTestFinished(() => release.resolve());
    server.before = () => release.promise;
    const other = await startSmallJobServer();
    onTestFinished(() => other.close());
    other.before = () => release.promise;
    const edgeApp = app({ upstreams: [server.url, other.url] });
    const call = async (deadlineMs: number) => {
      const startedAt = performance.now();
      const headers = { "connect-timeout-ms": String(deadlineMs) };
      const answer = await edgeApp.fetch(post("/JobService/GetAllJobs", "{}", headers));
      const tookMs = performance.now() - startedAt;
      expect(answer.status).toBe(504);
      expect(tookMs).toBeGreaterThan(deadlineMs * 0.9 - 10);
      expect(tookMs).toBeLessThan(deadlineMs + BUSY_MS);
      return ((await answer.json()) as { message: string }).message;
    };
    expect(await call(1_000)).toMatch(
      /^no answer before the call's deadline: http:\S+ has not answered for (0.9|1.\d) s$/,
    );
    expect(await call(3_000)).toMatch(
      /: http:\S+ has not answered for (2.9|3.\d) s, and http:\S+ has not answered for (0.9|1.\d) s$/,
    );
  });

  test("says what a node has answered, and not that the next one was not heard in what time was left", async () => {
    server.before = async (_, context) => {
      await new Promise((resolve) => setTimeout(resolve, (context.timeoutMs() ?? 0) * 0.9));
      throw new ConnectError("no master: Redis has not answered for 2.9 s", Code.Unavailable);
    };
    const release = Promise.withResolvers<void>();
    onTestFinished(() => release.resolve());
    const other = await startSmallJobServer();
    onTestFinished(() => other.close());
    other.before = () => release.promise;
    const call = post("/JobService/GetAllJobs", "{}", { "connect-timeout-ms": "1500" });
    const answer = await refused(app({ upstreams: [server.url, other.url] }).fetch(call));
    expect(answer).toMatchObject({ status: 503, message: "no master: Redis has not answered for 2.9 s" });
    expect(other.callsOf("GetAllJobs")).toHaveLength(1);
  });

  test("of a large body that a frozen node has not taken says that nothing was done, and when to try again", async () => {
    const frozen = createServer((socket) => void socket.pause()).listen(0, "127.0.0.1");
    await once(frozen, "listening");
    const url = `http://127.0.0.1:${(frozen.address() as AddressInfo).port}`;
    onTestFinished(() => void frozen.close());
    const large = " ".repeat(40_000_000);
    const before = await start({ upstreams: [url] });
    onTestFinished(() => before.close(0));
    const headers = { "content-type": "application/json", "connect-timeout-ms": "1000" };
    const answer = await fetch(`${before.url}/JobService/AddJobs`, { method: "POST", headers, body: large });
    expect(answer.headers.get("elastic-job-not-run")).toBe("1");
    expect(answer.headers.get("retry-after")).toBe("1");
    const { code, message } = await refused(answer);
    expect(code).toBe("deadline_exceeded");
    expect(message).toMatch(
      /has not answered for [01]\.\d s, and has not taken the whole body: nothing was done/,
    );
  });

  test.each([
    ["a small body", 1],
    ["a large body, which is passed on as it comes,", 3_000_000],
  ])("refuses %s that does not come to its end shortly before the deadline", async (_, bytes) => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(bytes).fill(32)),
    });
    const headers = { "content-type": "application/json", "connect-timeout-ms": "1000" };
    const init: RequestInit & { duplex: "half" } = { method: "POST", body, headers, duplex: "half" };
    const answer = await refused(app().fetch(new Request("http://127.0.0.1/JobService/AddJob", init)));
    expect(answer).toMatchObject({ status: 504, code: "deadline_exceeded" });
    expect(answer.message).toMatch(/^the request's body did not arrive within (9|1\d)\d\d ms$/);
  });
});

describe("health", () => {
  test("is up while the process is, and ready while a master answers", async () => {
    expect((await app().request("/healthz")).status).toBe(200);
    expect((await app().request("/readyz")).status).toBe(200);
    server.whyNotReady = "MySQL has not answered for 3.2 s, says master 10.0.0.3:7070";
    const answer = await app().request("/readyz");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "unavailable",
      message: "no node is ready: MySQL has not answered for 3.2 s, says master 10.0.0.3:7070",
    });
    expect((await app().request("/healthz")).status).toBe(200);
  });

  test("is ready while any node is, also when others are frozen or can't be reached, and calls go there", async () => {
    const ready = await startSmallJobServer();
    onTestFinished(() => ready.close());
    const dead = `http://127.0.0.1:${await refusingPort()}`;
    const edgeApp = app({ upstreams: [dead, server.url, ready.url] });
    server.whyNotReady = "silence";
    expect((await edgeApp.request("/readyz")).status).toBe(200);
    server.whyNotReady = "no master: no node holds the lock";
    await until("all have answered", async () => {
      expect((await edgeApp.request("/readyz")).status).toBe(200);
      await edgeApp.fetch(post("/JobService/GetAllJobs", "{}"));
      return ready.callsOf("GetAllJobs").length > 0;
    });
    const calls = server.callsOf("GetAllJobs").length;
    await edgeApp.fetch(post("/JobService/GetAllJobs", "{}"));
    expect(server.callsOf("GetAllJobs")).toHaveLength(calls);
  });

  test("of nodes that are all silent says so in the second that the nodes' own detection leaves of 3 s; the reason of one that answers goes first", async () => {
    const other = await startSmallJobServer();
    onTestFinished(() => other.close());
    const edgeApp = app({ upstreams: [server.url, other.url] });
    server.whyNotReady = "silence";
    other.whyNotReady = "silence";
    const reason = async () =>
      ((await (await edgeApp.request("/readyz")).json()) as { message: string }).message;
    const startedAt = performance.now();
    expect(await reason()).toBe(`no node is ready: ${server.url} has not answered for 0.8 s`);
    expect(performance.now() - startedAt).toBeLessThan(TOLD_WITHIN_MS - SILENT_MS);
    other.whyNotReady = "this node is stopping";
    expect(await reason()).toBe("no node is ready: this node is stopping");
  });

  test("names EDGE_PORT when the port is taken", async () => {
    const port = Number(new URL(edge.url).port);
    await expect(startEdge({ ...options(), host: "127.0.0.1", port })).rejects.toThrow(
      /EDGE_PORT: \d+ on 127.0.0.1 is taken/,
    );
  });
});
