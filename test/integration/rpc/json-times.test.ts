import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SentBody, sentJson } from "../../../src/rpc/server/sent-body.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

let node: TestNode;
beforeAll(async () => {
  node = await startNode();
});
afterAll(stopNodes);

const DAY = "2027-02-30T08:00:00Z";
const REASON = `"${DAY}", a day that does not exist: 2027-02 has 28; an RFC 3339 time, such as "2026-12-01T08:00:00Z", is accepted`;
const ADD = `{"handler":"echo","timed":{"runAt":"${DAY}"}}`;
const PATH = "/elasticjob.v1.JobService";

function envelope(text: string, isCompressed = false): Uint8Array<ArrayBuffer> {
  const message = isCompressed ? gzipSync(text) : Buffer.from(text);
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(message.byteLength, 1);
  return new Uint8Array(Buffer.concat([head, message]));
}

async function post(
  method: string,
  type: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(`${node.url}${PATH}/${method}`, {
    method: "POST",
    headers: { "content-type": type, "grpc-accept-encoding": "identity", ...headers },
    body,
  });
  const text = await response.text();
  return decodeURIComponent(`${response.headers.get("grpc-message") ?? ""}${text}`).replaceAll("\\", "");
}

/** Over HTTP/2, where streams go both ways; the status and message are in the trailers, or in the last envelope. */
async function stream(method: string, type: string, body: Uint8Array, headers: Record<string, string> = {}) {
  const session = connect(node.url);
  const request = session.request({
    ":method": "POST",
    ":path": `${PATH}/${method}`,
    "content-type": type,
    te: "trailers",
    ...headers,
  });
  let said = "";
  for (const event of ["response", "trailers"] as const) {
    request.on(event, (got: Record<string, unknown>) => {
      said += String(got["grpc-message"] ?? "");
    });
  }
  request.end(body);
  for await (const piece of request) said += String(piece);
  session.close();
  return decodeURIComponent(said).replaceAll("\\", "");
}

describe("an instant that does not exist is refused by its field, and nothing is stored", () => {
  async function refuses(call: Promise<string>, field: string): Promise<void> {
    const stored = node.api.jobs.size;
    expect(await call).toContain(`${field}: is ${REASON}`);
    expect(node.api.jobs.size).toBe(stored);
  }

  test("plain JSON, compressed or not, however it is spelt", async () => {
    await refuses(post("AddJob", "application/json", ADD), "timed.runAt");
    const gzipped = new Uint8Array(gzipSync(ADD));
    await refuses(post("AddJob", "application/json", gzipped, { "content-encoding": "gzip" }), "timed.runAt");
    await refuses(post("AddJob", "application/json", ADD.replace("2027", "\\u0032027")), "timed.runAt");
    await refuses(post("AddJob", "application/json", ADD.replace("runAt", "run_at")), "timed.run_at");
  });

  test("in every field of every call", async () => {
    const json = "application/json";
    await refuses(post("AddJobs", json, `{"jobs":[{"handler":"echo"},${ADD}]}`), "jobs[1].timed.runAt");
    await refuses(
      post("AddJobs", json, `{"table":{"template":[0],"templates":[${ADD}]}}`),
      "table.templates[0].timed.runAt",
    );
    const daily = `{"handler":"echo","daily":{"at":"08:30"},"startAt":"${DAY}"}`;
    await refuses(post("AddJob", json, daily), "startAt");
    await refuses(post("AddJob", json, daily.replace("startAt", "endAt")), "endAt");
    await refuses(post("UpdateJob", json, `{"jobId":"1","job":${ADD}}`), "job.timed.runAt");
    await refuses(post("CancelJob", json, `{"jobId":"1","scheduledAt":"${DAY}"}`), "scheduledAt");
    await refuses(post("PreviewSchedule", json, `{"daily":{"at":"08:30"},"after":"${DAY}"}`), "after");
  });

  test("beside what cannot be decoded at all", async () => {
    const said = await post("AddJob", "application/json", ADD.replace('"echo"', "5"));
    expect(said).toContain(`handler: is 5; a string is accepted; timed.runAt: is ${REASON}`);
  });

  test("gRPC-Web, gRPC and Connect's streams", async () => {
    await refuses(post("AddJob", "application/grpc-web+json", envelope(ADD)), "timed.runAt");
    await refuses(stream("AddJob", "application/grpc+json", envelope(ADD)), "timed.runAt");
    const gzipped = { "grpc-encoding": "gzip" };
    await refuses(stream("AddJob", "application/grpc+json", envelope(ADD, true), gzipped), "timed.runAt");
    const add = `{"call":1,"request":{"jobs":[${ADD}]}}`;
    await refuses(
      stream("StreamAddJobs", "application/connect+json", envelope(add)),
      "request.jobs[0].timed.runAt",
    );
  });

  test("and what a payload says is nobody's business", async () => {
    const added = await post(
      "AddJob",
      "application/json",
      `{"handler":"echo","payload":{"timed":{"runAt":"${DAY}"}}}`,
    );
    expect(added).toContain('"created":true');
  });

  test("a duration ends with its s", async () => {
    const said = await post("AddJob", "application/json", '{"handler":"echo","timeout":"5seconds"}');
    expect(said).toContain(
      'timeout: is "5seconds"; a duration, such as "5s", "0.25s", "3m" or "1h30m", is accepted',
    );
  });
});

const STREAMED = (add: string) => `{"call":1,"request":{"jobs":[${add}]}}`;

describe("JSON means the same in every protocol", () => {
  const gzipped = { "grpc-encoding": "gzip" };
  const ways: readonly (readonly [string, (add: string) => Promise<string>])[] = [
    ["plain", (add) => post("AddJob", "application/json", add)],
    ["gRPC-Web", (add) => post("AddJob", "application/grpc-web+json", envelope(add))],
    [
      "gRPC-Web, compressed",
      (add) => post("AddJob", "application/grpc-web+json", envelope(add, true), gzipped),
    ],
    ["gRPC", (add) => stream("AddJob", "application/grpc+json", envelope(add))],
    ["a stream", (add) => stream("StreamAddJobs", "application/connect+json", envelope(STREAMED(add)))],
    ["a stream of gRPC", (add) => stream("StreamAddJobs", "application/grpc+json", envelope(STREAMED(add)))],
  ];

  test.each(ways)("a duration as people write it, in %s", async (_, send) => {
    for (const [delay, ms] of [
      ["1h30m", 5_400_000],
      ["1s500ms", 1_500],
      ["\\u0031h", 3_600_000],
    ] as const) {
      const before = new Set(node.api.jobs.keys());
      const said = await send(`{"handler":"echo","timed":{"delay":"${delay}"}}`);
      const [job] = [...node.api.jobs].filter(([id]) => !before.has(id)).map(([, { spec }]) => spec);
      expect(said).not.toContain("accepted");
      const runAt = job?.schedule.kind === "timed" ? job.schedule.runAt : 0;
      expect(Math.abs(runAt - Date.now() - ms)).toBeLessThan(60_000);
    }
  });

  test.each(ways)("refusals have the same words, in %s", async (way, send) => {
    const prefix = way.startsWith("a stream") ? "request.jobs[0]." : "";
    const said = await send('{"handler":"echo","timeout":"x","payload":{"a":1,"a":2}}');
    expect(said).toContain(`${prefix}timeout: is "x"; a duration, such as`);
    expect(said).toContain(`${prefix}payload.a: is given twice; a name is accepted once`);
    expect(await send('{"handler":"echo","misfire":"X","bogus":1}')).toContain(
      `${prefix}misfire: is "X"; MISFIRE_ONCE, MISFIRE_SKIP and MISFIRE_ALL are accepted; ${prefix}bogus: is not known; name,`,
    );
    const cut = await send('{"handler":');
    expect(cut).toContain("the body is not JSON: ");
  });
});

test("a message in the URL is read as any other", async () => {
  const ask = (query: string) =>
    sentJson({
      method: "GET",
      url: `http://node/x?${query}`,
      header: new Headers(),
      httpVersion: "1.1",
      body: new ReadableStream<Uint8Array>(),
      signal: AbortSignal.abort(),
    });
  expect(await ask(`encoding=json&message=${encodeURIComponent(ADD)}`)?.take()).toBe(ADD);
  const base64 = gzipSync(ADD).toString("base64url");
  expect(await ask(`encoding=json&base64=1&compression=gzip&message=${base64}`)?.take()).toBe(ADD);
  expect(ask("encoding=proto&message=x")).toBeNull();
});

test("many messages in one piece come out one by one", async () => {
  const sent = new SentBody({ isEnveloped: true, encoding: "identity" });
  const texts = ["one", "two", "three"];
  async function* body() {
    yield new Uint8Array(Buffer.concat(texts.map((text) => envelope(text))));
  }
  const passed: Uint8Array[] = [];
  for await (const piece of sent.keeping(body())) passed.push(piece);
  for (const text of texts) expect(await sent.take()).toBe(text);
  expect(sent.isEmpty).toBe(true);
});
