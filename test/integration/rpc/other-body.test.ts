import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AddJobRequestSchema,
  JobService,
  StreamAddJobsRequestSchema,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { type StoredCluster, startStoredCluster } from "../../fixtures/rpc-node/stored-cluster.ts";
import { startMastership, type TestMaster } from "../../fixtures/test-master.ts";

let cluster: StoredCluster;
let master: TestMaster;
let node: TestNode;
let follower: TestNode;
beforeAll(async () => {
  cluster = await startStoredCluster();
  ({ master, node, follower } = cluster);
});
afterAll(() => cluster.close());

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly jobId?: string;
  readonly code?: string;
  readonly message?: string;
  readonly outcomes?: { added?: { jobId: string }; failure?: { code: string; message: string } }[];
}

async function post(method: string, body: string, key: string | null, to = node): Promise<Answer> {
  const response = await fetch(`${to.url}/elasticjob.v1.JobService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key !== null && { "idempotency-key": key }) },
    body,
  });
  const text = await response.text();
  return { status: response.status, text, ...(JSON.parse(text) as object) };
}

async function count(): Promise<number> {
  return (await master.store.listJobs({}, { before: null, limit: 10_000 })).items.length;
}

const FIRST = `{"handler":"work","name":"a","payload":{"b":[1.50,{"y":0,"x":null}],"a":"ü"},"timed":{"delay":"3600s"}}`;
const AGAIN = `{"timed":{"delay":"1h"},"priority":0,"misfire":"MISFIRE_UNSPECIFIED","payload":{"a":"\\u00fc","b":[15e-1,{"x":null,"y":0}]},
  "retry":{"maxAttempts":0,"initialBackoff":"1s","multiplier":2},"requirements":{"slots":1},"name":"a","handler":"work"}`;

function struct(fields: Record<string, unknown>) {
  return { kind: { case: "structValue" as const, value: { fields: fields as never } } };
}
const number = (value: number) => ({ kind: { case: "numberValue" as const, value } });
const MESSAGE: MessageInitShape<typeof AddJobRequestSchema> = {
  handler: "work",
  name: "a",
  payload: struct({
    a: { kind: { case: "stringValue", value: "ü" } },
    b: {
      kind: {
        case: "listValue",
        value: {
          values: [number(1.5), struct({ x: { kind: { case: "nullValue", value: 0 } }, y: number(0) })],
        },
      },
    },
  }),
  schedule: { case: "timed", value: { when: { case: "delay", value: { seconds: 3600n } } } },
};

function transports(to: TestNode): Record<string, Transport> {
  const options = { baseUrl: to.url, httpVersion: "2" as const };
  return {
    "Connect, binary": createConnectTransport({ ...options, useBinaryFormat: true }),
    "Connect, JSON": createConnectTransport({ ...options, useBinaryFormat: false }),
    gRPC: createGrpcTransport({ baseUrl: to.url }),
    "gRPC-Web": createGrpcWebTransport(options),
  };
}

describe("an Idempotency-Key", () => {
  test("names the same call over all protocols and nodes, in whatever order and with its defaults", async () => {
    const { jobId, text } = await post("AddJob", FIRST, "same");
    expect(text).toContain('"created":true');
    for (const to of [node, follower]) {
      expect((await post("AddJob", AGAIN, "same", to)).jobId).toBe(jobId);
      const { outcomes } = await post("AddJobs", `{"jobs":[${AGAIN}]}`, "same", to);
      expect(outcomes?.[0]?.added?.jobId).toBe(jobId);
      for (const [name, transport] of Object.entries(transports(to))) {
        const headers = { "idempotency-key": "same" };
        const added = await createClient(JobService, transport).addJob(MESSAGE, { headers });
        expect([name, added.jobId]).toEqual([name, jobId]);
      }
      const { payload: _, ...template } = MESSAGE;
      const table = {
        template: [0],
        templates: [template],
        payload: ['{"b":[1.5,{"y":0,"x":null}],"a":"ü"}'],
      };
      const request = create(StreamAddJobsRequestSchema, { idempotencyKey: "same", request: { table } });
      const stream = createClient(JobService, createGrpcTransport({ baseUrl: to.url }));
      for await (const { response } of stream.streamAddJobs(only(request))) {
        expect(response?.added?.jobId.map(String) ?? response?.outcomes).toEqual([jobId]);
      }
    }
  });

  test("that comes with another body is refused by all of them, names what differs, and adds nothing", async () => {
    const { jobId } = await post("AddJob", FIRST, "other");
    const before = await count();
    const other = FIRST.replace('"name":"a"', '"name":"b"').replace("1.50", "1.51").replace("3600s", "3601s");
    const named = `Idempotency-Key: "other" came before with other values of name, payload, schedule, for job ${jobId}; the same call, or another key, is accepted`;
    for (const to of [node, follower]) {
      expect(await post("AddJob", other, "other", to)).toMatchObject({
        status: 409,
        code: "already_exists",
        message: named,
      });
      for (const transport of Object.values(transports(to))) {
        const headers = { "idempotency-key": "other" };
        await expect(
          createClient(JobService, transport).addJob({ ...MESSAGE, priority: 3 }, { headers }),
        ).rejects.toMatchObject({
          rawMessage: expect.stringContaining(`other values of priority, for job ${jobId}`),
        });
      }
    }
    expect((await post("AddJob", FIRST, "other")).jobId).toBe(jobId);
    expect(await count()).toBe(before);
  });

  test("tells two ids beyond 2^53 apart, and payloads from none", async () => {
    const body = (id: string) => `{"handler":"work","payload":{"id":${id}},"timed":{"delay":"3600s"}}`;
    const { jobId } = await post("AddJob", body("3889108265204450030"), "ids");
    expect((await post("AddJob", body("3889108265204450030.0"), "ids")).jobId).toBe(jobId);
    const other = await post("AddJob", body("3889108265204450031"), "ids");
    expect(other.message).toContain("other values of payload,");
    const none = await post("AddJob", `{"handler":"work","timed":{"delay":"3600s"}}`, "ids");
    expect(none.message).toContain("other values of payload,");
  });

  test("of a batch refuses each job that differs, at its place, and all when there are more or fewer", async () => {
    const jobs = (...names: string[]) =>
      `{"jobs":[${names.map((name) => `{"handler":"work","name":"${name}","timed":{"delay":"3600s"}}`).join()}]}`;
    const first = (await post("AddJobs", jobs("a", "b", "c"), "batch")).outcomes ?? [];
    const before = await count();
    const second = (await post("AddJobs", jobs("a", "x", "c"), "batch", follower)).outcomes ?? [];
    expect([second[0], second[2]]).toEqual([first[0], first[2]]);
    expect(second[1]?.failure).toEqual({
      code: "already_exists",
      message: `Idempotency-Key: "batch" came before with other values of name, for job ${first[1]?.added?.jobId}; the same call, or another key, is accepted`,
    });
    const more = (await post("AddJobs", jobs("a", "b", "c", "d"), "batch")).outcomes ?? [];
    expect(more.map(({ failure }) => failure?.code)).toEqual(Array(4).fill("already_exists"));
    expect(more[0]?.failure?.message).toContain(`3 from job ${first[0]?.added?.jobId} on, and has 4 now`);
    expect(await count()).toBe(before);
  });
});

describe("a job's own idempotencyKey", () => {
  const keyed = (key: string, more: string) =>
    `{"handler":"work","idempotencyKey":"${key}","timed":{"delay":"3600s"}${more}}`;

  test("names its job only for the same body, and says in JSON that it was there", async () => {
    const { jobId } = await post("AddJob", keyed("own", ""), null);
    const again = await post(
      "AddJob",
      keyed("own", `,"keyLife":"KEY_LIFE_KEPT","priority":0`),
      null,
      follower,
    );
    expect(again.text).toContain(`"jobId":"${jobId}","created":false`);
    const before = await count();
    for (const to of [node, follower]) {
      expect(await post("AddJob", keyed("own", `,"priority":5,"payload":1`), null, to)).toMatchObject({
        status: 409,
        code: "already_exists",
        message: `idempotencyKey: "own" names job ${jobId}, which was added with other values of payload, priority; the same values, another key, or keyReuse KEY_REUSE_ANY_BODY are accepted`,
      });
    }
    expect(await count()).toBe(before);
  });

  test("names its job whatever the body, where the add says so", async () => {
    const { jobId } = await post("AddJob", keyed("any", ""), null);
    const other = await post("AddJob", keyed("any", `,"priority":5,"keyReuse":"KEY_REUSE_ANY_BODY"`), null);
    expect(other).toMatchObject({ jobId, created: false });
    const without = `{"handler":"work","keyReuse":"KEY_REUSE_ANY_BODY"}`;
    expect((await post("AddJob", without, null)).message).toMatch(/^keyReuse: says what /);
  });

  test("of a batch refuses that job alone", async () => {
    const { jobId } = await post("AddJob", keyed("in a batch", ""), null);
    const jobs = [
      keyed("in a batch", ""),
      keyed("in a batch", `,"name":"x"`),
      keyed("twice", ""),
      keyed("twice", `,"name":"y"`),
    ];
    for (const key of [null, "a batch with own keys", "a batch with own keys"]) {
      const { outcomes = [] } = await post("AddJobs", `{"jobs":[${jobs.join()}]}`, key);
      expect(outcomes[0]?.added).toMatchObject({ jobId, created: false });
      expect(outcomes[1]?.failure).toMatchObject({
        code: "already_exists",
        message: expect.stringContaining("of name;"),
      });
      expect(outcomes[2]?.added).toBeDefined();
      expect(outcomes[3]?.failure?.code).toBe("already_exists");
    }
  });
});

test("the next master still knows what came under a key", async () => {
  const { jobId } = await post("AddJob", FIRST, "old");
  const own = `{"handler":"work","idempotencyKey":"old","timed":{"delay":"3600s"}}`;
  const ownJob = await post("AddJob", own, null);
  const next = await startMastership(master.store, { embedded: true });
  node.role.set({ kind: "master", api: next.api, epoch: 8 });
  expect((await post("AddJob", AGAIN, "old")).jobId).toBe(jobId);
  expect((await post("AddJob", FIRST.replace("3600s", "1s"), "old")).message).toContain(
    "other values of schedule,",
  );
  expect((await post("AddJob", own, null)).text).toContain(`"jobId":"${ownJob.jobId}","created":false`);
  expect((await post("AddJob", own.replace("3600s", "1s"), null)).code).toBe("already_exists");
  next.end.abort();
});

async function* only<T>(item: T): AsyncGenerator<T> {
  yield item;
}
