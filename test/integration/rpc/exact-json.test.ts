import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OUTCOME } from "../../../src/core/job.ts";
import { AddJobRequestSchema, JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { resultOf } from "../../fixtures/job-fixture.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const ID = "3889108265204450030";

let node: TestNode;
let follower: TestNode;
beforeAll(async () => {
  node = await startNode();
  follower = await startNode({ role: { kind: "follower", master: node.asMaster } });
});
afterAll(stopNodes);

async function post(method: string, body: string | Uint8Array<ArrayBuffer>, to = node) {
  const response = await fetch(`${to.url}/elasticjob.v1.JobService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return { status: response.status, text: await response.text() };
}

async function add(payload: string, to = node): Promise<string> {
  const { text } = await post("AddJob", `{"handler":"echo","payload":${payload}}`, to);
  return (JSON.parse(text) as { jobId: string }).jobId;
}

/** Far more than any stack takes. */
const ABYSS = "[".repeat(200_000) + "]".repeat(200_000);

function stored(jobId: string): string | null | undefined {
  return node.api.jobs.get(Number(jobId))?.spec.payload;
}

async function refusal(method: string, body: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const before = node.api.jobs.size;
  const { status, text } = await post(method, body);
  expect(node.api.jobs.size).toBe(before);
  const { code, message } = JSON.parse(text) as { code: string; message: string };
  expect([status, code]).toEqual([400, "invalid_argument"]);
  return message;
}

const jobsIn = (useBinaryFormat: boolean, to = node) =>
  createClient(JobService, createConnectTransport({ baseUrl: to.url, httpVersion: "2", useBinaryFormat }));

describe("an integer beyond 2^53", () => {
  test("goes from JSON to JSON with all its digits, through any node, and stands as text beside it", async () => {
    for (const to of [node, follower]) {
      const jobId = await add(`{"id": ${ID}, "__proto__": [-0, 1e-400]}`, to);
      expect(stored(jobId)).toBe(`{"id":${ID},"__proto__":[-0,1e-400]}`);
      const { text } = await post("GetJobStatus", `{"jobId":"${jobId}"}`, to);
      const exact = `{"id":${ID},"__proto__":[-0,1e-400]}`;
      expect(text).toContain(`"payload":${exact},"payloadJson":${JSON.stringify(exact)}`);
      expect((await post("GetAllJobs", `{"pageSize":1}`)).text).toContain(`"payload":${exact},`);
    }
  });

  test("goes in by every call that takes a payload", async () => {
    const job = `{"handler":"echo","payload":[${ID}]}`;
    const { text } = await post("AddJobs", `{"jobs":[{"handler":"echo","payload":1.5},${job}]}`);
    const { outcomes } = JSON.parse(text) as { outcomes: { added: { jobId: string } }[] };
    expect(outcomes.map(({ added }) => stored(added.jobId))).toEqual(["1.5", `[${ID}]`]);

    const jobId = await add("1");
    await post("UpdateJob", `{"jobId":"${jobId}","job":{"payload":{"id":-${ID}}},"updateMask":"payload"}`);
    expect(stored(jobId)).toBe(`{"id":-${ID}}`);

    const timed = `{"handler":"echo","timeout":"3m","payload":[${ID}]}`;
    const added = JSON.parse((await post("AddJob", timed)).text) as { jobId: string };
    expect(stored(added.jobId)).toBe(`[${ID}]`);
  });

  test("is text alone where numbers are doubles", async () => {
    const jobId = await add(`[${ID}]`);
    const { job } = await jobsIn(true).getJobStatus({ jobId });
    expect(job?.payload).toBeUndefined();
    expect(job?.payloadJson).toBe(`[${ID}]`);
  });

  test("comes out of a handler with all its digits", async () => {
    const jobId = Number(await add("1"));
    const output = `{"id":${ID}}`;
    node.list.results.push(resultOf({ jobId, claim: 1, outcome: OUTCOME.SUCCEEDED, output }));
    const { text } = await post("GetAllResult", `{"jobId":"${jobId}"}`);
    expect(text).toContain(`"output":${output},"outputJson":${JSON.stringify(output)}`);
    const { results } = await jobsIn(true).getAllResult({ jobId: String(jobId) });
    expect([results[0]?.output, results[0]?.outputJson]).toEqual([undefined, output]);
  });
});

test("any JSON comes back as it was sent, number by number", async () => {
  const number = fc
    .tuple(
      fc.oneof(
        fc.bigInt().map(String),
        fc.constant("-0"),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      ),
      fc.constantFrom("", "", "e20", "E-7"),
    )
    .map(([digits, power]) => (/[.eE]/.test(digits) ? digits.replace("e+", "e") : digits + power));
  const json = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      number,
      fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
      fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
      tie("value").map((item) => `{"__proto__":${item},"a\\u0000":${item}}`),
    ),
  })).value;
  await fc.assert(
    fc.asyncProperty(json, async (text) => {
      const jobId = await add(text);
      const numbers = (of: string) =>
        (of.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) ?? []).map(plain);
      expect(numbers(stored(jobId) ?? "")).toEqual(numbers(text));
      expect(JSON.parse(stored(jobId) ?? "")).toEqual(JSON.parse(text));
      const answer = (await post("GetJobStatus", `{"jobId":"${jobId}"}`)).text;
      const payload = answer.slice(answer.indexOf('"payload":') + 10);
      expect(numbers(payload).slice(0, numbers(text).length)).toEqual(numbers(text));
    }),
    { numRuns: 60 },
  );
});

/** A number's sign, digits and power of ten, however it is written. */
function plain(number: string): string {
  const [, sign, whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = BigInt(whole + fraction);
  const zeros = digits === 0n ? 0 : (/0*$/.exec(String(digits))?.[0].length ?? 0);
  return `${sign}${digits === 0n ? 0 : String(digits).slice(0, -zeros || undefined)}e${digits === 0n ? 0 : Number(power) - fraction.length + zeros}`;
}

describe("payloadJson", () => {
  test("is kept as it is written, and goes deeper than payload", async () => {
    const deep = `${"[".repeat(200)}1${"]".repeat(200)}`;
    for (const text of [`{"id": ${ID}}`, '{ "a" : 1.50 }', deep]) {
      const { text: added } = await post("AddJob", JSON.stringify({ handler: "echo", payloadJson: text }));
      const { jobId } = JSON.parse(added) as { jobId: string };
      expect(stored(jobId)).toBe(text);
    }
    const answer = (await post("GetAllJobs", '{"pageSize":1}')).text;
    expect(answer).toContain(`"payloadJson":"${deep}"`);
    expect(answer).not.toContain('"payload":');
  });

  test("is refused beside payload, and for what is wrong with it", async () => {
    const both = '{"handler":"echo","payload":1,"payloadJson":"1"}';
    expect(await refusal("AddJob", both)).toBe(
      "payloadJson: is given beside payload; one of payload and payloadJson is accepted",
    );
    expect(await refusal("AddJob", `{"handler":"echo","payload":${ID},"payloadJson":"${ID}"}`)).toContain(
      "beside",
    );
    const given = (payloadJson: string) => JSON.stringify({ handler: "echo", payloadJson });
    expect(await refusal("AddJob", given("{"))).toMatch(
      /^payloadJson: is not JSON \(.*\); JSON text is accepted$/,
    );
    expect(await refusal("AddJob", given(""))).toMatch(
      /^payloadJson: is not JSON \(.*\); JSON text is accepted$/,
    );
    expect(await refusal("AddJob", given('{"a":[1e400]}'))).toMatch(
      /^payloadJson: has a number that is too large, at a\[0\];/,
    );
    expect(await refusal("AddJob", given('{"b":[{"a":1,"a":2}]}'))).toBe(
      "payloadJson: has a name twice in one object, at b[0].a; a name is accepted once",
    );
    expect(await refusal("AddJob", given(String.raw`["\ud800"]`))).toMatch(
      /^payloadJson: has half of a surrogate pair, at \[0\]/,
    );
  });

  test("comes with the job that is read, which can be sent back", async () => {
    const jobId = await add(`{"id":${ID}}`);
    const { job } = JSON.parse((await post("GetJobStatus", `{"jobId":"${jobId}"}`)).text) as { job: object };
    await post("UpdateJob", JSON.stringify({ jobId, job: { ...job, priority: 3 } }));
    expect(node.api.jobs.get(Number(jobId))?.spec).toMatchObject({ priority: 3, payload: `{"id":${ID}}` });
    const other = JSON.stringify({ jobId, job: { ...job, payload: 1 } });
    expect(await refusal("UpdateJob", other)).toContain("payloadJson: is given beside payload");
    await post("UpdateJob", JSON.stringify({ jobId, job: { payloadJson: "-0" }, updateMask: "payloadJson" }));
    expect(stored(jobId)).toBe("-0");
  });
});

describe("what JSON can say and nothing can keep is refused by its field", () => {
  test.each([
    [
      `{"a":{"b":[1e400]}}`,
      "payload: has a number that is too large, at a.b[0]; those of double precision are accepted",
    ],
    [`{"a":${ID},"a":1}`, "payload.a: is given twice; a name is accepted once"],
    [
      "[".repeat(31) + "]".repeat(31),
      "payload: has more than 30 levels of arrays and objects; up to 30 are accepted, and up to 1000 in payloadJson",
    ],
    [
      `[${ID},${"[".repeat(1001)}${"]".repeat(1001)}]`,
      "payload: has more than 30 levels of arrays and objects; up to 30 are accepted, and up to 1000 in payloadJson",
    ],
  ])("in a payload, %#", async (payload, message) => {
    expect(await refusal("AddJob", `{"handler":"echo","payload":${payload}}`)).toBe(message);
  });

  test.each([ABYSS, `[${ID},${ABYSS}]`, String.raw`["\ud800",${ABYSS}]`])(
    "in a payload without a bottom, %#",
    async (payload) => {
      expect(await refusal("AddJob", `{"handler":"echo","payload":${payload}}`)).toMatch(/^payload/);
    },
  );

  const HALF = "has half of a surrogate pair, which UTF-8 cannot carry; whole characters are accepted";
  test.each([
    ["AddJob", String.raw`{"handler":"echo","payload":{"a":["\ud800"]}}`, `payload.a[0]: ${HALF}`],
    ["AddJob", String.raw`{"handler":"echo","payload":{"\uDFFF":1}}`, String.raw`payload["\udfff"]: ${HALF}`],
    ["AddJob", String.raw`{"handler":"echo","name":"\ude00\ud83d"}`, `name: ${HALF}`],
    [
      "AddJobs",
      String.raw`{"jobs":[{"handler":"echo","idempotencyKey":"\ud83dx"}]}`,
      `jobs[0].idempotencyKey: ${HALF}`,
    ],
    ["GetAllJobs", String.raw`{"namePrefix":"\ud83d"}`, `namePrefix: ${HALF}`],
  ])("half of a surrogate pair, by %s %#", async (method, body, message) => {
    expect(await refusal(method, body)).toBe(message);
  });

  test("while whole pairs, NUL and U+FFFD stay what they are", async () => {
    const jobId = await add(String.raw`"\ud83d\ude00\u0000\ufffd\\ud800"`);
    expect(JSON.parse(stored(jobId) ?? "")).toBe("😀\0\ufffd\\ud800");
  });
});

describe("bytes that are not UTF-8", () => {
  const bytes = (...parts: (string | number)[]) =>
    new Uint8Array(
      Buffer.concat(parts.map((part) => Buffer.from(typeof part === "string" ? part : ([part] as never)))),
    );

  test("are refused with their offset, wherever in the JSON they are", async () => {
    const body = bytes('{"handler":"echo","payload":"', 0xff, '"}');
    expect(await refusal("AddJob", body)).toBe(
      "the body: byte 29, 0xff, is not UTF-8; text in UTF-8 is accepted",
    );
    expect(await refusal("AddJob", bytes('{"handler":"echo","name":"日', 0xe6, 0x97, '"}'))).toContain(
      "byte 29, 0xe6",
    );
    expect(await refusal("GetAllJobs", bytes('{"namePrefix":"', 0xc0, 0x80, '"}'))).toContain(
      "byte 15, 0xc0",
    );
    // Half of a surrogate pair, as some write it.
    expect(await refusal("UpdateJob", bytes('{"jobId":"', 0xed, 0xa0, 0x80, '"}'))).toContain(
      "byte 10, 0xed",
    );
  });

  test("are refused in binary messages with their field", async () => {
    const request = toBinary(
      AddJobRequestSchema,
      create(AddJobRequestSchema, {
        handler: "echo",
        payload: {
          kind: {
            case: "structValue",
            value: { fields: { a: { kind: { case: "stringValue", value: "xyz" } } } },
          },
        },
        requirements: { labels: { zone: "uvw" } },
      }),
    );
    const spoilt = (text: string) => {
      const body = Uint8Array.from(request);
      body[Buffer.from(body).indexOf(text) + 2] = 0xff;
      return body;
    };
    const send = async (body: Uint8Array<ArrayBuffer>) => {
      const before = node.api.jobs.size;
      const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJob`, {
        method: "POST",
        headers: { "content-type": "application/proto" },
        body,
      });
      expect(node.api.jobs.size).toBe(before);
      return { status: response.status, ...((await response.json()) as { code: string; message: string }) };
    };
    const refused = { status: 400, code: "invalid_argument" };
    expect(await send(spoilt("xyz"))).toMatchObject({
      ...refused,
      message:
        "payload.structValue.fields.stringValue: byte 2, 0xff, is not UTF-8; text in UTF-8 is accepted",
    });
    expect(await send(spoilt("uvw"))).toMatchObject({
      ...refused,
      message: expect.stringMatching(/^requirements\.labels: byte 2,/),
    });
    expect(await send(spoilt("echo"))).toMatchObject({
      ...refused,
      message: expect.stringMatching(/^handler: byte 2, 0xff/),
    });
    expect(await send(new Uint8Array([0x0a, 200, 1]))).toMatchObject({
      ...refused,
      message: expect.stringMatching(
        /^the body: is no elasticjob\.v1\.AddJobRequest in protobuf's binary form /,
      ),
    });
  });

  test("are refused by gRPC-Web with their field", async () => {
    const message = new Uint8Array([0x12, 4, 0x65, 0x63, 0x68, 0xff]);
    const response = await fetch(`${node.url}/elasticjob.v1.JobService/AddJob`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.byteLength]), message]),
    });
    const text = decodeURIComponent((await response.text()).slice(5));
    expect(text).toContain(`grpc-status: ${Code.InvalidArgument}\r\n`);
    expect(text).toContain(
      "grpc-message: handler: byte 3, 0xff, is not UTF-8; text in UTF-8 is accepted\r\n",
    );
  });

  test("are refused by gRPC as the caller's fault, on a stream too", async () => {
    const message = new Uint8Array([0x12, 4, 0x65, 0x63, 0x68, 0xff]);
    const head = Buffer.from([0, 0, 0, 0, message.byteLength]);
    const call = async (method: string, body: Uint8Array) => {
      const session = connect(node.url);
      const path = `/elasticjob.v1.JobService/${method}`;
      const headers = { "content-type": "application/grpc+proto", te: "trailers" };
      const request = session.request({ ":method": "POST", ":path": path, ...headers });
      const trailers = Promise.withResolvers<Record<string, unknown>>();
      request.on("trailers", trailers.resolve).on("error", trailers.reject);
      request.resume().end(body);
      const { "grpc-status": status, "grpc-message": said } = await trailers.promise;
      session.close();
      return [status, said];
    };
    const body = Buffer.concat([head, message]);
    const invalid = String(Code.InvalidArgument);
    expect(await call("AddJob", body)).toEqual([
      invalid,
      "handler: byte 3, 0xff, is not UTF-8; text in UTF-8 is accepted",
    ]);
    expect(await call("StreamAddJobs", body)).toEqual([
      invalid,
      expect.stringMatching(/^the body: is no elasticjob\.v1\.StreamAddJobsRequest .*utf-8/),
    ]);
  });
});
