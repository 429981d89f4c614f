import { createServer, type IncomingMessage, type Server } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Handler } from "../../../src/jobs/define-jobs.ts";
import { checkHost, parseHostRules } from "../../../src/jobs/host-rules.ts";
import { createHttp } from "../../../src/jobs/http.ts";
import type { Resolve } from "../../../src/jobs/resolve.ts";
import { retryAfterMs } from "../../../src/jobs/retry-after.ts";
import type { JobSecrets } from "../../../src/jobs/secret-references.ts";
import { describeFailure } from "../../../src/node/describe-failure.ts";
import { createScrubber } from "../../../src/node/scrubber.ts";
import { contextOf } from "../../fixtures/handler-context.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server;
let port: number;
let seen: Seen[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += String(part);
    const { method = "", url: target = "", headers } = request;
    seen.push({ method, url: target, headers, body });
    const { searchParams, pathname } = new URL(target, "http://any");
    if (pathname === "/never") return;
    for (const name of ["location", "retry-after", "content-type", "content-encoding"]) {
      const value = searchParams.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    response.statusCode = Number(searchParams.get("status") ?? 200);
    if (pathname === "/half") {
      response.write("half");
      return;
    }
    if (pathname === "/wide") return response.end(`x${"語".repeat(100_000)}`);
    const hex = searchParams.get("hex");
    if (hex !== null) return response.end(Buffer.from(hex, "hex"));
    response.end(searchParams.get("answer") ?? "x".repeat(Number(searchParams.get("length") ?? 0)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
beforeEach(() => {
  seen = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const SECRETS: Readonly<Record<string, string>> = {
  stripe: "value of stripe",
  folded: "sk_LIVE_0123456789",
  digits: "2130706433",
  lines: "-----BEGIN KEY-----\nMIIE0123456789\n",
};

interface Means {
  readonly hosts?: string[];
  readonly clusterHosts?: string[];
  readonly secretHosts?: string[];
  readonly resolve?: Resolve;
}

function call(payload: unknown, given: { signal?: AbortSignal; payloadText?: string } & Means = {}) {
  const { hosts: allowedHosts = ["127.0.0.1"], clusterHosts = [], secretHosts = [], resolve } = given;
  const scrubber = createScrubber(Object.entries(SECRETS));
  const known: JobSecrets = { ...scrubber, read: (name) => SECRETS[name] ?? `value of ${name}` };
  const handler: Handler = createHttp({ allowedHosts, clusterHosts, secretHosts }, known, resolve);
  const signal = given.signal === undefined ? {} : { signal: given.signal };
  const ctx = contextOf({ jobId: "7", idempotencyKey: "7-0", ...signal });
  const payloadText = given.payloadText ?? JSON.stringify(payload);
  return Promise.resolve(handler({ id: "7", name: "call", handler: "http", payload, payloadText }, ctx));
}

async function failure(payload: unknown, given: { signal?: AbortSignal } & Means = {}) {
  try {
    await call(payload, given);
  } catch (error) {
    return describeFailure(error);
  }
  throw new Error("it has succeeded");
}

function url(path: string, query: Record<string, string> = {}): string {
  return `http://127.0.0.1:${port}${path}?${new URLSearchParams(query)}`;
}

describe("a call", () => {
  test("is a GET by default, with the occurrence's key, and returns status and body", async () => {
    const output = await call({ url: url("/", { answer: "hi", "content-type": "text/plain" }) });
    expect(output).toEqual({ status: 200, contentType: "text/plain", body: "hi" });
    expect(seen[0]).toMatchObject({ method: "GET", body: "", headers: { "idempotency-key": "7-0" } });
  });

  test("with a body is a POST, of JSON or of text as it is", async () => {
    await call({ url: url("/"), body: { a: [1] } });
    await call({
      url: url("/"),
      body: "a=1",
      method: "put",
      headers: { "Content-Type": "text/x", "Idempotency-Key": "k" },
    });
    expect(seen).toMatchObject([
      { method: "POST", body: '{"a":[1]}', headers: { "content-type": "application/json" } },
      { method: "PUT", body: "a=1", headers: { "content-type": "text/x", "idempotency-key": "k" } },
    ]);
  });

  test("returns JSON as JSON, and as text when it is none after all", async () => {
    const json = { "content-type": "application/problem+json; charset=utf-8" };
    expect(await call({ url: url("/", { answer: '{"a":1}', ...json }) })).toMatchObject({ body: { a: 1 } });
    expect(await call({ url: url("/", { answer: "{", ...json }) })).toMatchObject({ body: "{" });
  });

  test("sends and returns each digit of a number", async () => {
    const exact = '{"id":3889108265204450030}';
    const target = url("/", { answer: exact, "content-type": "application/json" });
    const payloadText = `{"url":${JSON.stringify(target)},"body":${exact}}`;
    const output = await call(JSON.parse(payloadText), { payloadText });
    expect(seen[0]?.body).toBe(exact);
    expect(JSON.stringify(output)).toContain(`"body":${exact}`);
  });

  test("returns bytes that are no text in base64, and says so", async () => {
    const hex = Buffer.from("J\xf6rg", "latin1").toString("hex");
    const answer = (type: string, bytes = hex) =>
      call({ url: url("/", { hex: bytes, "content-type": type }) });
    expect(await answer("text/plain")).toMatchObject({ body: "SvZyZw==", bodyEncoding: "base64" });
    expect(await answer("application/json")).toMatchObject({ body: "SvZyZw==", bodyEncoding: "base64" });
    expect(await answer('text/html; charset="ISO-8859-1"')).toEqual({
      status: 200,
      contentType: 'text/html; charset="ISO-8859-1"',
      body: "Jörg",
    });
    expect(await answer("text/plain; charset=none", "efbfbd00")).not.toHaveProperty("bodyEncoding");
    expect(await answer("text/plain", "efbfbd00")).toMatchObject({ body: "\ufffd\0" });
  });

  test("does not take a character that is cut off for bytes that are no text", async () => {
    const cut = await call({ url: url("/wide") });
    expect(cut).toMatchObject({ truncated: true, body: expect.stringMatching(/^x語{87381}$/) });
    expect(cut).not.toHaveProperty("bodyEncoding");
  });

  test("keeps no more of a long answer than a result can hold", async () => {
    const output = await call({ url: url("/", { length: "5000000" }) });
    expect(output).toMatchObject({ truncated: true, body: "x".repeat(256 * 1024) });
  });

  test("ends when the job is aborted, also in the middle of the answer", async () => {
    for (const path of ["/never", "/half"]) {
      const controller = new AbortController();
      const failed = failure({ url: url(path) }, { signal: controller.signal });
      const calls = seen.length;
      while (seen.length === calls) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new DOMException("its node is stopping", "AbortError"));
      expect((await failed).error).toMatchObject({ name: "AbortError", message: "its node is stopping" });
    }
  });

  test("has a time limit", async () => {
    for (const path of ["/never", "/half"]) {
      const { error, isPermanent } = await failure({ url: url(path), timeoutMs: 50 });
      expect(error.message).toBe(`${url(path)} has not answered within 50 ms`);
      expect(isPermanent).toBe(false);
    }
  });

  test("that finds nobody is tried again, and says why", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const address = closed.address();
    const free = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const { error, isPermanent } = await failure({ url: `http://127.0.0.1:${free}/` });
    expect(isPermanent).toBe(false);
    expect(error.message).toMatch(/^could not call http:\/\/127\.0\.0\.1:\d+\/: connect ECONNREFUSED/);
    expect(error.message).not.toContain("fetch failed");
  });
});

describe("the answer's status", () => {
  test.each([400, 401, 404, 409, 410, 422, 304])("%d is permanent", async (status) => {
    const { error, isPermanent } = await failure({ url: url("/", { status: String(status) }) });
    expect(isPermanent).toBe(true);
    expect(error.message).toContain(`answered ${status}`);
  });

  test.each([408, 425, 429, 500, 502, 503])("%d is tried again", async (status) => {
    expect(await failure({ url: url("/", { status: String(status) }) })).toMatchObject({
      isPermanent: false,
    });
  });

  test("can be another that is expected", async () => {
    expect(await call({ url: url("/", { status: "404" }), expectedStatus: 404 })).toMatchObject({
      status: 404,
    });
    expect(await call({ url: url("/", { status: "409" }), expectedStatus: [200, 409] })).toMatchObject({
      status: 409,
    });
    expect(await failure({ url: url("/"), expectedStatus: 201 })).toMatchObject({ isPermanent: false });
  });

  test("shows what was answered with it", async () => {
    const target = url("/", { status: "500", answer: `no disk ${"x".repeat(5000)}` });
    const { error } = await failure({ url: target });
    expect(error.message).toBe(`${target} answered 500: no disk ${"x".repeat(492)}`);
  });

  test("comes with a time to try again at", async () => {
    const busy = { status: "503", "retry-after": "120" };
    expect(await failure({ url: url("/", busy) })).toMatchObject({ retryAfterMs: 120_000 });
    expect(await failure({ url: url("/", { ...busy, status: "404" }) })).not.toHaveProperty("retryAfterMs");
  });

  test.each<[string | null, number | null]>([
    ["0", 0],
    ["7", 7000],
    ["99999999999", 86_400_000],
    ["Thu, 01 Jan 1970 00:00:30 GMT", 20_000],
    ["Thu, 01 Jan 1970 00:00:05 GMT", 0],
    ["soon", null],
    ["", null],
    [null, null],
  ])("Retry-After %j is %j ms from 10 s on", (header, ms) => {
    expect(retryAfterMs(header, 10_000)).toBe(ms);
  });
});

describe("hosts", () => {
  test.each<[string[], string, boolean]>([
    [[], "http://example.com/", false],
    [["example.com"], "http://EXAMPLE.com./", true],
    [["example.com"], "https://example.com:8443/", true],
    [["example.com"], "http://a.example.com/", false],
    [["example.com"], "http://example.com.evil.test/", false],
    [["*.example.com"], "http://a.b.example.com/", true],
    [["*.example.com"], "http://example.com/", false],
    [["*.example.com"], "http://evilexample.com/", false],
    [["127.0.0.1"], "http://0x7f.1/", true],
    [["[::1]"], "http://[0:0::1]/", true],
    [["[::1]:81"], "http://[0:0::1]:81/", true],
    [["example.com:8443"], "https://example.com:8443/", true],
    [["example.com:8443"], "https://example.com/", false],
    [["example.com:443"], "https://example.com/", true],
    [["example.com:443"], "http://example.com/", false],
    [["example.com:80"], "http://example.com:80/", true],
    [["*.example.com:81"], "http://a.example.com:81/", true],
    [["*.example.com:81"], "http://a.example.com/", false],
    [["*"], "https://anything.test:1234/", true],
    [["*"], "http://[::1]/", true],
    [["10.0.0.0/8"], "http://10.1.2.3:81/", true],
    [["10.0.0.0/8:81"], "http://10.1.2.3:81/", true],
    [["10.0.0.0/8:81"], "http://10.1.2.3/", false],
    [["10.0.0.0/8"], "http://11.1.2.3/", false],
    [["10.0.0.0/8"], "http://[::ffff:10.1.2.3]/", true],
    [["10.0.0.0/8"], "http://internal.test/", false],
    [["[fd00::/8]:81"], "http://[fd12::1]:81/", true],
    [["[fd00::/8]"], "http://[fe80::1]/", false],
    [["*:81"], "http://anything.test:81/", true],
    [["*:81"], "http://anything.test/", false],
  ])("%j: %s is allowed: %s", (hosts, target, isAllowed) => {
    const check = () => checkHost(new URL(target), parseHostRules(hosts));
    if (isAllowed) expect(check).not.toThrow();
    else expect(check).toThrow("is not allowed");
  });

  test("that are not allowed are refused for good, and the message says what to set", async () => {
    const { error, isPermanent } = await failure({ url: url("/") }, { hosts: [] });
    expect(isPermanent).toBe(true);
    expect(error.message).toBe(
      "the host 127.0.0.1 is not allowed (none is); set HTTP_ALLOWED_HOSTS on the nodes to a list with it, such as 127.0.0.1 or *.example.com",
    );
    expect(seen).toEqual([]);
  });
});

/** A DNS that says what it is told to, and how often it was asked. */
function dns(answers: Record<string, string[][]>) {
  const asked: string[] = [];
  const resolve: Resolve = async (host) => {
    asked.push(host);
    const [next, ...later] = answers[host] ?? [];
    if (next === undefined) throw Object.assign(new Error(`ENOTFOUND ${host}`), { code: "ENOTFOUND" });
    if (later.length > 0) answers[host] = later;
    return next.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return { asked, resolve };
}

describe("addresses", () => {
  test.each(["127.0.0.1", "169.254.169.254", "10.0.0.5", "100.100.100.200", "0.0.0.0", "224.0.0.1"])(
    "%s is not called for the sake of a name that resolves to it",
    async (address) => {
      const { resolve } = dns({ "api.example.com": [[address]] });
      const target = `http://api.example.com:${port}/`;
      for (const hosts of [["api.example.com"], ["*"]]) {
        const { error, isPermanent } = await failure({ url: target }, { hosts, resolve });
        expect(isPermanent).toBe(true);
        expect(error.message).toContain(`api.example.com is at ${address}, which is not a public address`);
        expect(error.message).toContain(`a list with ${address}`);
      }
      expect(seen).toEqual([]);
    },
  );

  test("that are not public are called for a name if both are allowed, at the port that both are allowed at", async () => {
    const { resolve } = dns({ "jobs.internal": [["127.0.0.1"]] });
    const target = `http://jobs.internal:${port}/`;
    for (const rule of ["127.0.0.1", "127.0.0.0/8", `127.0.0.1:${port}`, `127.0.0.0/8:${port}`]) {
      await call({ url: target }, { hosts: ["jobs.internal", rule], resolve });
    }
    expect(seen).toHaveLength(4);
    expect(seen[0]?.headers).toMatchObject({ host: `jobs.internal:${port}` });
    for (const hosts of [["127.0.0.1"], ["jobs.internal", "127.0.0.1:1"], ["jobs.internal", "10.0.0.0/8"]]) {
      expect(await failure({ url: target }, { hosts, resolve })).toMatchObject({ isPermanent: true });
    }
    expect(seen).toHaveLength(4);
  });

  test("are asked for once: DNS that answers otherwise the next time changes nothing", async () => {
    const rebinding = dns({ "rebind.test": [["127.0.0.1"], ["10.0.0.5"], ["127.0.0.1"]] });
    const means = { hosts: ["rebind.test", "127.0.0.1"], resolve: rebinding.resolve };
    await call({ url: `http://rebind.test:${port}/` }, means);
    expect(rebinding.asked).toEqual(["rebind.test"]);
    await failure({ url: `http://rebind.test:${port}/` }, means);
    expect(rebinding.asked).toHaveLength(2);
    expect(seen).toHaveLength(1);
  });

  test("that are allowed are called though others beside them are not", async () => {
    const { resolve } = dns({ "mixed.test": [["10.0.0.5", "::1", "127.0.0.1"]] });
    await call({ url: `http://mixed.test:${port}/` }, { hosts: ["mixed.test", "127.0.0.1"], resolve });
    expect(seen).toHaveLength(1);
  });

  test("are judged at each redirect", async () => {
    const { resolve } = dns({ "first.test": [["127.0.0.1"]], "second.test": [["127.0.0.2"]] });
    const location = `http://second.test:${port}/there`;
    const target = `http://first.test:${port}/?${new URLSearchParams({ status: "302", location })}`;
    const { error } = await failure({ url: target }, { hosts: ["*", "127.0.0.1"], resolve });
    expect(error.message).toContain("second.test is at 127.0.0.2, which is not a public address");
    const literal = { url: url("/", { status: "302", location: "http://[::ffff:7f00:2]/" }) };
    const there = await failure(literal, { hosts: ["*", "127.0.0.1"] });
    expect(there.error.message).toContain("127.0.0.2 is not a public address");
    expect(seen).toHaveLength(2);
  });

  test.each([
    "127.0.0.1",
    "[::1]",
    "[::]",
    "0.0.0.0",
    "169.254.169.254",
    "2852039166",
    "0xa9.0xfe.0xa9.0xfe",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "10.0.0.1",
    "172.31.0.1",
    "192.168.0.1",
    "100.64.0.1",
  ])("%s in a URL is not allowed by a rule for any host", async (host) => {
    const { error, isPermanent } = await failure({ url: `http://${host}/` }, { hosts: ["*"] });
    expect(isPermanent).toBe(true);
    expect(error.message).toContain("is not a public address, and not allowed (allowed: *)");
  });

  test("of the cluster itself are not called though they are public", async () => {
    const answers = { "db.test": [["203.1.1.1"]], "alias.test": [["203.1.1.1"]] };
    const { resolve } = dns(answers);
    const means = {
      hosts: ["*"],
      clusterHosts: ["db.test", "gone.test", "203.1.1.2"],
      resolve: withLiterals(resolve),
    };
    for (const host of ["alias.test", "203.1.1.1", "203.1.1.2"]) {
      const { error, isPermanent } = await failure({ url: `http://${host}/` }, means);
      expect(isPermanent).toBe(true);
      expect(error.message).toContain("is an address of the cluster itself, and not allowed");
    }
  });

  test("are not called while nobody can tell which are the cluster's own", async () => {
    const resolve: Resolve = async (host) => {
      if (host === "public.test") return [{ address: "203.1.1.1", family: 4 }];
      throw Object.assign(new Error(`EAI_AGAIN ${host}`), { code: "EAI_AGAIN" });
    };
    const means = { hosts: ["*"], clusterHosts: ["db.test"], resolve };
    expect(await failure({ url: "http://public.test/" }, means)).toMatchObject({
      isPermanent: false,
      error: { message: "could not call http://public.test/: EAI_AGAIN db.test" },
    });
  });
});

/** As the system does: an address resolves to itself. */
function withLiterals(resolve: Resolve): Resolve {
  return async (host) => (/^[\d.]+$/.test(host) ? [{ address: host, family: 4 }] : resolve(host));
}

test("an answer that is compressed is read as what it is", async () => {
  const hex = gzipSync("plain").toString("hex");
  const encoded = { hex, "content-encoding": "gzip" };
  expect(await call({ url: url("/", encoded) })).toMatchObject({ body: "plain" });
  expect(seen[0]?.headers).toMatchObject({ "accept-encoding": "gzip, deflate" });
  const { isPermanent } = await failure({ url: url("/", { hex: "00", "content-encoding": "gzip" }) });
  expect(isPermanent).toBe(false);
  expect(await call({ url: url("/", encoded), method: "HEAD" })).toMatchObject({ status: 200, body: "" });
});

test("an answer whose status is none has failed", async () => {
  const { error } = await failure({ url: url("/", { status: "999" }) });
  expect(error.message).toContain("could not call");
});

test("a URL without a scheme has one problem, not two", async () => {
  const { error } = await failure({ url: "example.com/path" });
  expect(error.message).toBe(
    "payload.url: must be a URL with http or https, such as https://example.com/path",
  );
});

test("a port that is not allowed is said to be what is wrong", async () => {
  const { error } = await failure({ url: "http://127.0.0.1:82/" }, { hosts: ["127.0.0.1:81"] });
  expect(error.message).toMatch(
    /^the host 127\.0\.0\.1 is not allowed at port 82 \(allowed: 127\.0\.0\.1:81\)/,
  );
});

describe("redirects", () => {
  test("are followed to allowed hosts, as a GET unless the status says otherwise", async () => {
    const to = url("/there", { answer: "found" });
    const body = { a: 1 };
    expect(await call({ url: url("/", { status: "302", location: to }), body })).toMatchObject({
      body: "found",
    });
    await call({ url: url("/", { status: "307", location: to }), body });
    expect(seen.map(({ method, body: sent }) => [method, sent])).toEqual([
      ["POST", '{"a":1}'],
      ["GET", ""],
      ["POST", '{"a":1}'],
      ["POST", '{"a":1}'],
    ]);
  });

  test("are not followed to other hosts, schemes, or without end", async () => {
    const elsewhere = await failure({
      url: url("/", { status: "302", location: `http://localhost:${port}/` }),
    });
    expect(elsewhere).toMatchObject({
      isPermanent: true,
      error: { message: expect.stringContaining("the host localhost is not allowed") },
    });
    const scheme = await failure({ url: url("/", { status: "302", location: "file:///etc/passwd" }) });
    expect(scheme).toMatchObject({ isPermanent: true });
    const withUser = `http://u:p@127.0.0.1:${port}/`;
    expect(await failure({ url: url("/", { status: "302", location: withUser }) })).toMatchObject({
      isPermanent: true,
      error: { message: expect.stringContaining("redirects to a URL that holds a user or password") },
    });
    seen = [];
    const loop = await failure({ url: url("/", { status: "302", location: "" }) });
    expect(loop.isPermanent).toBe(true);
    expect(seen.length).toBeLessThanOrEqual(6);
  });

  const headers = {
    Authorization: "Bearer secret",
    Cookie: "a=b",
    "Proxy-Authorization": "Basic secret",
    "X-API-Key": "secret",
    "X-My-Token": "secret",
    "X-Mine": "1",
  };
  const hosts = ["127.0.0.1", "localhost"];
  const secretHeaders = ["x-my-TOKEN"];
  const secret = ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-my-token"];

  test("do not take credentials along to another origin", async () => {
    const location = `http://localhost:${port}/there`;
    await call({ url: url("/", { status: "302", location }), headers, secretHeaders }, { hosts });
    const there = seen.find((each) => each.url === "/there");
    expect(there?.headers).toMatchObject({ "x-mine": "1" });
    for (const name of secret) expect(there?.headers).not.toHaveProperty(name);
  });

  test("take credentials along within the origin, and not back to it from elsewhere", async () => {
    const home = url("/home");
    await call({ url: url("/", { status: "302", location: home }), headers, secretHeaders }, { hosts });
    expect(Object.keys(seen.at(-1)?.headers ?? {})).toEqual(expect.arrayContaining(secret));
    const detour = `http://localhost:${port}/?${new URLSearchParams({ status: "307", location: home })}`;
    await call({ url: url("/", { status: "307", location: detour }), headers, secretHeaders }, { hosts });
    expect(seen.at(-1)).toMatchObject({ url: "/home", headers: { "x-mine": "1" } });
    for (const name of secret) expect(seen.at(-1)?.headers).not.toHaveProperty(name);
  });
});

describe("secrets", () => {
  const key = { $secret: "stripe" };
  const secretHosts = ["stripe=127.0.0.1"];

  test("are sent in headers, body and URL to the host that each is for", async () => {
    const target = {
      url: url("/there"),
      headers: { "x-key": key, authorization: { ...key, prefix: "Bearer " } },
    };
    await call({ ...target, body: { deep: [key] } }, { secretHosts });
    expect(seen[0]?.headers).toMatchObject({
      "x-key": "value of stripe",
      authorization: "Bearer value of stripe",
    });
    expect(seen[0]?.body).toBe('{"deep":["value of stripe"]}');
    await call({ url: { ...key, prefix: `${url("/in-a-query")}&key=` } }, { secretHosts });
    expect(seen[1]?.url).toContain("key=value%20of%20stripe");
  });

  test.each([
    [[], false, "may be sent nowhere by this node"],
    [["stripe=api.stripe.com"], true, "is not sent to 127.0.0.1:PORT: it may be sent to api.stripe.com"],
    [["github=127.0.0.1"], false, "may be sent nowhere by this node"],
    [["stripe=127.0.0.1:1"], true, "is not sent to 127.0.0.1:PORT: it may be sent to 127.0.0.1:1"],
    // Where this node knows no place, another may: the next attempt can be there.
  ])("are sent nowhere else: with SECRET_HOSTS=%j", async (allowed, isPermanent, message) => {
    for (const where of [{ headers: { "x-key": key } }, { body: [key] }]) {
      const failed = await failure({ url: url("/there"), ...where }, { secretHosts: allowed });
      expect(failed).toMatchObject({
        isPermanent,
        error: {
          message: expect.stringContaining(`the secret stripe ${message.replace("PORT", String(port))}`),
        },
      });
    }
    expect(seen).toEqual([]);
  });

  const location = () => `http://localhost:${port}/there`;
  const hosts = ["127.0.0.1", "localhost"];

  test("in headers stay with their host at a redirect", async () => {
    const headers = { "x-key": key, "x-mine": "1" };
    await call({ url: url("/", { status: "307", location: location() }), headers }, { hosts, secretHosts });
    expect(seen[0]?.headers).toHaveProperty("x-key");
    expect(seen[1]?.headers).toMatchObject({ "x-mine": "1" });
    expect(seen[1]?.headers).not.toHaveProperty("x-key");
  });

  test("in a body stop a redirect that would carry it along, and no other", async () => {
    const to = (status: string) => url("/", { status, location: location() });
    const failed = await failure({ url: to("307"), body: { key } }, { hosts, secretHosts });
    expect(failed).toMatchObject({
      isPermanent: true,
      error: {
        message: expect.stringContaining("the body holds a secret, which is for the first host alone"),
      },
    });
    expect(seen).toHaveLength(1);
    await call({ url: to("303"), body: { key } }, { hosts, secretHosts });
    expect(seen.at(-1)).toMatchObject({ url: "/there", method: "GET", body: "" });
  });
});

describe("no message shows a secret", () => {
  const secretHosts = Object.keys(SECRETS).map((name) => `${name}=127.0.0.1`);
  const message = async (payload: unknown) => {
    const { error } = await failure(payload, { hosts: ["*", "127.0.0.1"], secretHosts });
    return `${error.message} ${error.stack}`;
  };

  test.each(["folded", "digits"])(
    "that is taken for a host, and written in another form: %s",
    async (name) => {
      const elsewhere = [`${name}=api.example.com`];
      const payload = { url: { $secret: name, prefix: "http://" } };
      const { error } = await failure(payload, { hosts: ["*"], secretHosts: elsewhere });
      expect(error.message).toContain(`the secret ${name} is not sent to the host of payload.url`);
      expect(error.stack?.toLowerCase()).not.toMatch(/sk_live|127\.0\.0\.1|2130706433/);
    },
  );

  test("that is none for a header", async () => {
    const shown = await message({ url: url("/"), headers: { "x-key": { $secret: "lines" } } });
    expect(shown).toContain("payload.headers.x-key: the secret has characters that a header cannot carry");
    expect(shown).not.toContain("MIIE");
  });

  test("that the answer has at the place where it is cut", async () => {
    const answer = `${"x".repeat(490)}${SECRETS["stripe"]}`;
    const shown = await message({ url: url("/", { status: "400", answer }) });
    expect(shown).toContain("answered 400: xxx");
    expect(shown.replaceAll("answer=", "")).not.toMatch(/x{490}value of/);
  });
});

test.each<[unknown, string]>([
  [null, "payload.url: is required"],
  ["text", "payload: "],
  [{ url: "ftp://a/" }, "payload.url: must be a URL with http or https"],
  [{ url: "example.com/path" }, "payload.url: must be a URL with http or https"],
  [{ url: "localhost:8080/path" }, "payload.url: must be a URL with http or https"],
  [{ url: ["http://a/"] }, "payload.url: must be text"],
  [{ url: "http://127.0.0.1:6000/" }, "payload.url: port 6000 of"],
  [{ url: "http://127.0.0.1/", headers: { Expect: "100-continue" } }, "payload.headers.Expect: is set by"],
  [
    { url: "http://127.0.0.1/", headers: { "transfer-encoding": "chunked" } },
    "payload.headers.transfer-encoding",
  ],
  [{ url: "http://u:p@127.0.0.1/" }, "payload.url: must not hold a user or password"],
  [{ url: "http://127.0.0.1/", method: "GET /" }, "payload.method: must be the name of a method"],
  [{ url: "http://127.0.0.1/", method: "CONNECT" }, "payload.method: CONNECT is not supported"],
  [{ url: "http://127.0.0.1/", method: "GET", body: 1 }, "payload.body: a GET has none"],
  [{ url: "http://127.0.0.1/", headers: { Host: "a" } }, "payload.headers.Host: is set by the call itself"],
  [{ url: "http://127.0.0.1/", headers: { "a b": "c" } }, "payload.headers: "],
  [{ url: "http://127.0.0.1/", headers: { a: "b\nc" } }, "payload.headers: "],
  [
    { url: "http://127.0.0.1/", headers: { "x-a": "1" }, secretHeaders: ["x-b"] },
    "payload.secretHeaders.0: ",
  ],
  [{ url: "http://127.0.0.1/", timeoutMs: 0 }, "payload.timeoutMs: "],
  [{ url: "http://127.0.0.1/", expectedStatus: 99 }, "payload.expectedStatus: is 99; a status from 200"],
  [
    { url: "http://127.0.0.1/", headerz: {} },
    "payload.headerz: is not known; url, method, headers, secretHeaders, body, expectedStatus and timeoutMs are",
  ],
])("the payload %j is refused for good, by field", async (payload, message) => {
  const { error, isPermanent } = await failure(payload);
  expect(isPermanent).toBe(true);
  expect(error.name).toBe("PermanentError");
  expect(error.message).toContain(message);
});

const URL_GIVEN = { url: "http://127.0.0.1/" };
const STATUSES = "a status from 200 to 599, or a list of them, is accepted";
test.each<[unknown, string]>([
  [{ ...URL_GIVEN, expectedStatus: "200" }, `payload.expectedStatus: is "200"; ${STATUSES}`],
  [{ ...URL_GIVEN, expectedStatus: [] }, `payload.expectedStatus: is []; ${STATUSES}`],
  [{ ...URL_GIVEN, expectedStatus: [200, 700] }, `payload.expectedStatus: is [200,700]; ${STATUSES}`],
  [{ ...URL_GIVEN, headers: { host: "a" } }, "payload.headers.host: is set by the call itself; leave it out"],
  [{ ...URL_GIVEN, headers: { "x-n": 5 } }, "payload.headers.x-n: is 5; text is accepted"],
  [{ ...URL_GIVEN, headers: "x" }, 'payload.headers: is "x"; an object with names and texts is accepted'],
  [{ ...URL_GIVEN, method: 5 }, "payload.method: is 5; text is accepted"],
  [
    { ...URL_GIVEN, timeoutMs: 1e300 },
    "payload.timeoutMs: is 1e+300; a whole number from 1 to 86400000 is accepted",
  ],
  [
    "text",
    'payload: is "text"; an object with url, method, headers, secretHeaders, body, expectedStatus and timeoutMs is accepted',
  ],
])("what is wrong with the payload %j is told whole, in one line", async (payload, message) => {
  expect((await failure(payload)).error.message).toBe(message);
});
