/** Large requests mean what the protocol's own decoder makes of them. */
import { create, type DescMessage, fromBinary, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AddJobRequest,
  type AddJobsRequest,
  AddJobsRequestSchema,
  StreamAddJobsRequestSchema,
  UpdateJobRequestSchema,
} from "../../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { parseAddRequest } from "../../../../../src/rpc/conversion/add-request.ts";
import { decodeLargeBinary } from "../../../../../src/rpc/server/large/decode-binary.ts";
import { decodeLargeJson } from "../../../../../src/rpc/server/large/decode-json.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");
const LIMITS = { maxPayloadBytes: 10_000, keepsUnknown: false };

const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
const job = fc.record(
  {
    handler: fc.constantFrom("echo", "", "a b"),
    name: fc.string(),
    priority: fc.constantFrom(0, 7, 1_000),
    payload: value,
    timed: fc.constantFrom({ delay: "10s" }, { runAt: "2027-01-01T00:00:00Z" }),
    requirements: fc.constant({ labels: { gpu: "true" } }),
  },
  { requiredKeys: [] },
);

/** What the master makes of each job. */
function specsOf({ jobs, table }: AddJobsRequest) {
  const spec = (one: AddJobRequest) => parseAddRequest(one, NOW, LIMITS).parsed;
  return [...jobs.map(spec), ...(table?.templates ?? []).map(spec), table?.template, table?.payload];
}

const json = (schema: DescMessage, text: string) => decodeLargeJson(schema, text, LIMITS);
const refusal = (decoding: Promise<unknown>) =>
  decoding.then(
    () => expect.unreachable("it was taken"),
    (error: Error) => error.message,
  );

test("jobs as JSON, however it is written", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(job, { maxLength: 5 }),
      fc.constantFrom("", "  ", "\t"),
      async (jobs, space) => {
        const text = JSON.stringify({ jobs }, null, space);
        // Of the text: it has no -0.
        const whole = fromJson(AddJobsRequestSchema, JSON.parse(text) as JsonValue);
        expect(specsOf((await json(AddJobsRequestSchema, text)) as AddJobsRequest)).toEqual(specsOf(whole));
      },
    ),
  );
});

test("jobs and tables as binary messages", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 5 }), async (jobs) => {
      const templates = jobs.map((one) => ({ ...one, payload: undefined }));
      const table = { templates, template: jobs.map((_, index) => index), payload: jobs.map(() => "1") };
      for (const message of [{ jobs }, { table }, { jobs, keyPart: { jobs: 9, first: 1 } }]) {
        const whole = fromJson(AddJobsRequestSchema, JSON.parse(JSON.stringify(message)));
        const bytes = toBinary(AddJobsRequestSchema, whole);
        const decoded = (await decodeLargeBinary(AddJobsRequestSchema, bytes, LIMITS)) as AddJobsRequest;
        expect(specsOf(decoded)).toEqual(specsOf(fromBinary(AddJobsRequestSchema, bytes)));
        expect(decoded.keyPart).toEqual(whole.keyPart);
      }
    }),
  );
});

test("within other messages, too", async () => {
  const update = '{"jobId":"7","job":{"payload":[1, 2],"priority":3},"updateMask":"payload"}';
  expect(await json(UpdateJobRequestSchema, update)).toMatchObject({
    jobId: "7",
    job: { payloadJson: "[1,2]", priority: 3 },
    updateMask: { paths: ["payload"] },
  });
  const streamed = '{"call":3,"request":{"jobs":[{"handler":"a","payload":{"b":null}}]},"timeoutMs":9}';
  expect(await json(StreamAddJobsRequestSchema, streamed)).toMatchObject({
    call: 3,
    timeoutMs: 9,
    request: { jobs: [{ handler: "a", payloadJson: '{"b":null}' }] },
  });
});

describe("what is wrong is told by its field", () => {
  test.each([
    ['{"jobs":[{"handler":"a"},{"nobody":1}]}', /^jobs\[1\]\.nobody: is not known; /],
    ['{"jobs":[{"handler":"a"}],"nobody":1}', /^nobody: is not known; /],
    ['{"jobs":[{"timeout":"x"}]}', /^jobs\[0\]\.timeout: is "x"; /],
    ['{"jobs":[1]}', /^jobs\[0\]: is "1"; a JSON object is accepted/],
    ['{"jobs":[{"payload":1,"payload":2}]}', /^jobs\[0\]\.payload: is given twice/],
    ['{"jobs":[{"name":"a","name":"b"}]}', /^jobs\[0\]\.name: is given twice/],
    ['{"jobs":[{"payload":1,"payloadJson":"2"}]}', /^jobs\[0\]\.payloadJson: is given beside payload/],
    [
      `{"jobs":[{"payload":${"[".repeat(31)}${"]".repeat(31)}}]}`,
      /^jobs\[0\]\.payload: has more than 30 levels/,
    ],
    ['{"jobs":[{"timed":{"runAt":"2027-02-30T00:00:00Z"}}]}', /^jobs\[0\]\.timed\.runAt: /],
    ["[]", /^the body: is "\[\]"; a JSON object is accepted/],
    ['{"jobs":[{"payload":[1}]}', /^the body is not JSON/],
    ['{"jobs":[{}{}]}', /^the body is not JSON/],
    ['{"jobs":[{}]} x', /^the body is not JSON/],
    ['{"jobs":[{"handler":"a"', /^the body is not JSON/],
    [
      `{"jobs":[{"name":"${"n".repeat(20_000)}"}]}`,
      /^jobs\[0\]\.\w+: has \d+ bytes; up to 16384 are accepted of all that a job has beside its payload$/,
    ],
    [
      `{"jobs":[{"handler":"a","payloadJson":"${"1".repeat(20_000)}","idempotencyKey":"${"é".repeat(50_000)}"}]}`,
      /^jobs\[0\]\.idempotencyKey: has 1000\d\d bytes; /,
    ],
    [`{"jobs":[${"{},".repeat(10_000)}{}]}`, /^jobs: has more than 10,000 jobs/],
  ])("%.60s", async (text, message) => {
    expect(await refusal(json(AddJobsRequestSchema, text))).toMatch(message);
  });

  test("in binary messages: too many jobs, too much beside a payload, and what is no message", async () => {
    const binary = (bytes: Uint8Array) => refusal(decodeLargeBinary(AddJobsRequestSchema, bytes, LIMITS));
    const jobs = Array.from({ length: 10_001 }, () => ({}));
    const many = create(AddJobsRequestSchema, { jobs });
    expect(await binary(toBinary(AddJobsRequestSchema, many))).toMatch(/^jobs: has more than 10,000 jobs/);
    const long = create(AddJobsRequestSchema, { jobs: [{ name: "n".repeat(20_000) }] });
    expect(await binary(toBinary(AddJobsRequestSchema, long))).toMatch(
      /^jobs\[0\]\.name: has 200\d\d bytes; up to 16384 are accepted of all that a job has beside its payload$/,
    );
    expect(await binary(new Uint8Array([10, 200, 1, 1]))).toMatch(
      /^the body: is no elasticjob\.v1\.AddJobsRequest in protobuf/,
    );
  });
});

test("a payload that is far too long is left for the job's own refusal, unread", async () => {
  const payload = `[${"1,".repeat(200_000)}1]`;
  const text = `{"jobs":[{"handler":"a"},{"handler":"a","payload":${payload}}]}`;
  const [good, bad] = specsOf((await json(AddJobsRequestSchema, text)) as AddJobsRequest);
  expect(good).toMatchObject({ handler: "a" });
  expect(bad).toEqual([{ field: "payload", message: expect.stringMatching(/up to 10000 are accepted/) }]);
});
