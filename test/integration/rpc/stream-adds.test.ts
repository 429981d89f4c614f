/** AddJobs on a stream: the node's side, called as any Connect client may call it. */
import { getEventListeners } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { operators } from "../../../src/core/callers/api-tokens.ts";
import {
  type AddJobsResponse,
  AddJobsResponseSchema,
  JobService,
  type StreamAddJobsRequest,
  StreamAddJobsRequestSchema,
  type StreamAddJobsResponse,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { answerAdds } from "../../../src/rpc/services/stream-add-jobs.ts";
import { realClock, within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

afterEach(stopNodes);

type Request = MessageInitShape<typeof StreamAddJobsRequestSchema>;

interface OpenStream {
  send(request: Request): void;
  next(): Promise<IteratorResult<StreamAddJobsResponse>>;
  answer(): Promise<StreamAddJobsResponse>;
  end(): void;
}

function openStream(node: TestNode, open = createConnectTransport, headers = {}): OpenStream {
  const requests: Request[] = [];
  let isEnded = false;
  let wake = () => {};
  async function* outgoing(): AsyncGenerator<Request> {
    for (;;) {
      yield* requests.splice(0);
      if (isEnded) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const transport = open({ baseUrl: node.url, httpVersion: "2" });
  const stream = createClient(JobService, transport).streamAddJobs(outgoing(), { headers });
  const answers = stream[Symbol.asyncIterator]();
  const next = () => within(5_000, "an answer", answers.next());
  return {
    send(request) {
      requests.push(request);
      wake();
    },
    next,
    async answer() {
      const { value, done } = await next();
      if (done === true) throw new Error("the stream has ended");
      return value;
    },
    end() {
      isEnded = true;
      wake();
    },
  };
}

const echo = { handler: "echo" };
const jobsOf = (count: number) => Array.from({ length: count }, () => echo);
const idsOf = ({ response }: { response?: AddJobsResponse | undefined }) =>
  response?.outcomes.map(({ outcome }) =>
    outcome.case === "added" ? outcome.value.jobId : outcome.value?.code,
  );

/** Makes each add wait until it is let go, in the order of their coming. */
function holdAdds(node: TestNode): { readonly began: () => number; release(index: number): void } {
  const gates: PromiseWithResolvers<void>[] = [];
  node.api.beforeAdd = () => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  };
  return { began: () => gates.length, release: (index) => gates[index]?.resolve() };
}

describe.each([
  ["Connect", createConnectTransport],
  ["gRPC", createGrpcTransport],
] as const)("over %s", (_, open) => {
  test("adds are stored, and each request is answered by its number when it is done", async () => {
    const node = await startNode();
    const held = holdAdds(node);
    const stream = openStream(node, open as typeof createConnectTransport);
    stream.send({ call: 7, request: { jobs: [{ handler: "echo", name: "slow" }] } });
    await until("the first is under way", () => held.began() === 1);
    stream.send({ call: 3, request: { jobs: [{ handler: "echo", name: "quick" }, { handler: "" }] } });
    await until("the second is under way", () => held.began() === 2);
    held.release(1);
    const quick = await stream.answer();
    expect(quick.call).toBe(3);
    expect(quick.failure).toBeUndefined();
    expect(idsOf(quick)).toEqual(["1", "invalid_argument"]);
    held.release(0);
    const slow = await stream.answer();
    expect(slow.call).toBe(7);
    expect(idsOf(slow)).toEqual(["2"]);
    expect([...node.api.jobs.values()].map(({ spec }) => spec.name)).toEqual(["quick", "slow"]);
    stream.end();
    expect((await stream.next()).done).toBe(true);
  });
});

test("a request with no jobs or too many is refused, and the stream goes on", async () => {
  const stream = openStream(await startNode());
  stream.send({ call: 1 });
  const none = await stream.answer();
  expect(none).toMatchObject({ call: 1, failure: { code: "invalid_argument" } });
  expect(none.response).toBeUndefined();
  expect(none.failure?.message).toMatch(/^jobs: has 0 jobs/);
  stream.send({ call: 2, request: { jobs: jobsOf(10_001) } });
  const tooMany = await stream.answer();
  expect(tooMany).toMatchObject({ call: 2, failure: { code: "invalid_argument" } });
  expect(tooMany.failure?.message).toMatch(/^jobs: has 10001 jobs/);
  stream.send({ call: 3, request: { jobs: jobsOf(10_000) } });
  expect((await stream.answer()).response?.outcomes).toHaveLength(10_000);
  stream.end();
});

test("a key that is too long or not plain ASCII is refused by name, and the stream goes on", async () => {
  const node = await startNode();
  const stream = openStream(node);
  for (const [call, idempotencyKey] of ["k".repeat(201), "schlüssel", "a\nb"].entries()) {
    stream.send({ call, idempotencyKey, request: { jobs: [echo] } });
    const { failure } = await stream.answer();
    expect(failure?.code).toBe("invalid_argument");
    expect(failure?.message).toMatch(/^idempotencyKey: /);
  }
  expect(node.api.calls).toEqual([]);
  stream.send({ call: 9, idempotencyKey: "k".repeat(200), request: { jobs: [echo] } });
  expect(idsOf(await stream.answer())).toEqual(["1"]);
  stream.end();
});

test("jobs as a table are answered by a table, or by job where one is refused", async () => {
  const node = await startNode();
  const stream = openStream(node);
  const table = { templates: [echo, { handler: "" }], template: [0, 0], payload: ["1", '{"a": [2]}'] };
  stream.send({ call: 1, request: { table } });
  const { response } = await stream.answer();
  expect(response).toMatchObject({ outcomes: [], added: { jobId: [1, 2], existed: [] } });
  expect(response?.added?.nextRunAt).toHaveLength(2);
  expect([...node.api.jobs.values()].map(({ spec }) => spec.payload)).toEqual(["1", '{"a": [2]}']);
  stream.send({ call: 2, request: { table: { ...table, template: [0, 1, 0], payload: [] } } });
  const mixed = await stream.answer();
  expect(idsOf(mixed)).toEqual(["3", "invalid_argument", "4"]);
  expect(mixed.response?.added).toBeUndefined();
  stream.end();
});

test.each<[string, Request["request"], string]>([
  ["keyPart: is given without", { jobs: [echo], keyPart: { jobs: 1 } }, ""],
  [
    "keyPart: is of 3 jobs, from 2 on, for a call of 2",
    { jobs: jobsOf(2), keyPart: { jobs: 3, first: 2 } },
    "k",
  ],
  ["keyPart: is of 10001 jobs", { jobs: [echo], keyPart: { jobs: 10_001 } }, "k"],
  ["keyPart: is of 0 jobs", { jobs: [echo], keyPart: {} }, "k"],
  ["table: is given beside jobs", { jobs: [echo], table: { templates: [echo], template: [0] } }, ""],
  ["jobs: has 0 jobs", { table: { templates: [echo] } }, ""],
  ["table.template: names template 1", { table: { templates: [echo], template: [1] } }, ""],
])("what is wrong with a request is said: %s", async (message, request, idempotencyKey) => {
  const node = await startNode();
  const stream = openStream(node);
  stream.send({ call: 1, idempotencyKey, ...(request && { request }) });
  const { failure } = await stream.answer();
  expect(failure).toMatchObject({ code: "invalid_argument", message: expect.stringContaining(message) });
  expect(node.api.jobs.size).toBe(0);
  stream.end();
});

test("the same key on a stream, on another one and on AddJobs names the same jobs", async () => {
  const node = await startNode();
  const jobs = createClient(JobService, createConnectTransport({ baseUrl: node.url, httpVersion: "2" }));
  const request = { call: 1, idempotencyKey: "mine", request: { jobs: [echo, echo] } };
  const [one, two] = [openStream(node), openStream(node)];
  one.send(request);
  const first = await one.answer();
  expect(idsOf(first)).toEqual(["1", "2"]);
  two.send(request);
  expect(idsOf(await two.answer())).toEqual(["1", "2"]);
  const call = await jobs.addJobs(request.request, { headers: { "Idempotency-Key": "mine" } });
  expect(idsOf({ response: call })).toEqual(["1", "2"]);
  // Without a key, the same request is another one.
  one.send({ call: 2, request: request.request });
  expect(idsOf(await one.answer())).toEqual(["3", "4"]);
  one.end();
  two.end();
});

describe("at a node that is not master", () => {
  test("adds go through the master, under the caller's key or one of the node's own", async () => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    const stream = openStream(follower);
    stream.send({ call: 1, request: { jobs: [echo, { handler: "" }] } });
    expect(idsOf(await stream.answer())).toEqual(["1", "invalid_argument"]);
    stream.send({ call: 2, idempotencyKey: "mine", request: { jobs: [echo] } });
    expect(idsOf(await stream.answer())).toEqual(["2"]);
    expect(master.api.calls).toEqual([
      { count: 2, key: expect.stringMatching(/./) },
      { count: 1, key: "mine" },
    ]);
    stream.end();
  });

  test("tables go through the master as they are, each part of a key once", async () => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    const stream = openStream(follower);
    const table = { templates: [echo], template: [0, 0], payload: ["1", "2"] };
    const part = (first: number) => ({
      call: first,
      idempotencyKey: "mine",
      request: { table, keyPart: { jobs: 10, first } },
    });
    for (const [first, ids] of [
      [0, [1, 2]],
      [2, [3, 4]],
      [0, [1, 2]],
    ] as const) {
      stream.send(part(first));
      expect((await stream.answer()).response?.added?.jobId).toEqual(ids);
    }
    expect(master.api.jobs.size).toBe(4);
    expect(new Set(master.api.calls.map(({ key }) => key))).toEqual(new Set(["mine"]));
    stream.end();
  });

  test("a failover in the middle is waited out, and what the old master may have added is repeated under its key", async () => {
    const master = await startNode();
    const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
    const held = holdAdds(master);
    const stream = openStream(follower);
    stream.send({ call: 1, request: { jobs: [echo] } });
    await until("the add reached the old master", () => held.began() === 1);
    await master.server.close(0);
    const next = await startNode();
    follower.role.set({ kind: "follower", master: next.asMaster });
    expect(idsOf(await stream.answer())).toEqual(["1"]);
    expect(next.api.calls[0]?.key).toBe(master.api.calls[0]?.key);
    stream.end();
  });

  test("a request without a master is answered within its own time, and the stream goes on", async () => {
    const node = await startNode({ role: { kind: "none" } });
    const stream = openStream(node);
    const start = performance.now();
    stream.send({ call: 1, request: { jobs: [echo] }, timeoutMs: 200 });
    const { failure } = await stream.answer();
    expect(failure).toMatchObject({ code: "unavailable", message: expect.stringContaining("no master") });
    expect(performance.now() - start).toBeLessThan(1_500);
    node.becomeMaster();
    stream.send({ call: 2, request: { jobs: [echo] } });
    expect(idsOf(await stream.answer())).toEqual(["1"]);
    stream.end();
  });
});

test("a caller without a token is refused", async () => {
  const credentials = { tokens: () => operators(["a-token"]), isOpen: false };
  const node = await startNode({ credentials });
  for (const headers of [{}, { authorization: "Bearer wrong" }]) {
    const stream = openStream(node, createConnectTransport, headers);
    stream.send({ call: 1, request: { jobs: [echo] } });
    await expect(stream.next()).rejects.toMatchObject({ code: Code.Unauthenticated });
  }
  expect(node.api.jobs.size).toBe(0);
  const stream = openStream(node, createConnectTransport, { authorization: "Bearer a-token" });
  stream.send({ call: 1, request: { jobs: [echo] } });
  expect(idsOf(await stream.answer())).toEqual(["1"]);
  stream.end();
});

test("a failure that nobody foresaw ends the stream, and tells nothing of itself", async () => {
  const node = await startNode();
  node.api.beforeAdd = () => Promise.reject(new Error("the driver's secret"));
  const stream = openStream(node);
  stream.send({ call: 1, request: { jobs: [echo] } });
  const error = await stream.next().catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.Internal, rawMessage: expect.not.stringContaining("secret") });
  expect(node.logger.errors).toHaveLength(1);
});

test.each([
  ["64 requests", 100, 1, 64],
  ["20,000 jobs", 5, 5_000, 4],
])("no more is read from a stream that has %s open", async (_, requests, jobsEach, most) => {
  const node = await startNode();
  const held = holdAdds(node);
  const stream = openStream(node);
  for (let call = 1; call <= requests; call++) stream.send({ call, request: { jobs: jobsOf(jobsEach) } });
  await until("it is full", () => held.began() >= most);
  // Another stream's add goes there and back after all that this one has sent.
  const other = openStream(node);
  other.send({ call: 1, request: { jobs: [echo] } });
  await until("the other add is under way", () => node.api.calls.at(-1)?.count === 1 || jobsEach === 1);
  expect(held.began()).toBeLessThanOrEqual(most + 1);
  const answered = new Set<number>();
  while (answered.size < requests) {
    for (let index = 0; index < held.began(); index++) held.release(index);
    answered.add((await stream.answer()).call);
  }
  stream.end();
  other.end();
  expect((await stream.next()).done).toBe(true);
});

describe("a node that stops", () => {
  test("answers what is under way, and ends the stream", async () => {
    const node = await startNode();
    const held = holdAdds(node);
    const stream = openStream(node);
    stream.send({ call: 1, request: { jobs: [echo] } });
    await until("the add is under way", () => held.began() === 1);
    const closed = node.server.close(5_000);
    held.release(0);
    expect(idsOf(await stream.answer())).toEqual(["1"]);
    expect((await stream.next()).done).toBe(true);
    stream.end();
    await within(3_000, "the node stops well before its grace period is over", closed);
  });

  test("ends a stream on which nothing is under way", async () => {
    const node = await startNode();
    const stream = openStream(node);
    stream.send({ call: 1, request: { jobs: [echo] } });
    await stream.answer();
    const closed = node.server.close(5_000);
    expect((await stream.next()).done).toBe(true);
    stream.end();
    await within(3_000, "the node stops well before its grace period is over", closed);
  });
});

describe("answering", () => {
  const whole = (request: StreamAddJobsRequest) => ({ request, release: () => {} });

  const context = (signal: AbortSignal) => ({
    signal,
    requestHeader: new Headers(),
    values: createContextValues(),
    timeoutMs: () => undefined,
  });
  const request = (call: number) => create(StreamAddJobsRequestSchema, { call, request: { jobs: [echo] } });

  test("begins nothing more once the node stops", async () => {
    const closing = new AbortController();
    const [stopped, taken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* requests() {
      yield request(1);
      await stopped.promise;
      try {
        yield request(2);
      } finally {
        taken.resolve();
      }
    }
    let begun = 0;
    const add = () => {
      begun += 1;
      return stopped.promise.then(() => create(AddJobsResponseSchema));
    };
    const options = { whole, add, clock: realClock, closing: closing.signal, whyNotReady: () => null };
    const answers = answerAdds(requests(), context(new AbortController().signal), options);
    const first = answers.next();
    await until("the first is begun", () => begun === 1);
    closing.abort();
    stopped.resolve();
    expect(await first).toMatchObject({ value: { call: 1 } });
    expect((await answers.next()).done).toBe(true);
    await taken.promise;
    expect(begun).toBe(1);
  });

  test("leaves nothing behind when the caller goes, even if it never takes an answer", async () => {
    const closing = new AbortController();
    const caller = new AbortController();
    async function* requests() {
      yield request(1);
      yield request(2);
      await new Promise(() => {});
    }
    const options = {
      whole,
      add: async () => create(AddJobsResponseSchema),
      clock: realClock,
      closing: closing.signal,
      whyNotReady: () => null,
    };
    // Stands where it has given an answer, and is not asked for the next.
    await answerAdds(requests(), context(caller.signal), options).next();
    expect(getEventListeners(closing.signal, "abort")).toHaveLength(1);
    caller.abort();
    expect(getEventListeners(closing.signal, "abort")).toHaveLength(0);
  });
});
