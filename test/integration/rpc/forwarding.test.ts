import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { create, type UnknownField } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { AddJobRequestSchema, JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { within } from "../../fixtures/real-time.ts";
import { STRANGER } from "../../fixtures/rpc-node/memory-job-api.ts";
import { asker, closePeers, peerOf, TEST_SECRETS } from "../../fixtures/rpc-node/secrets.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

afterEach(async () => {
  closePeers();
  await stopNodes();
});

function jobsAt(node: TestNode): Client<typeof JobService> {
  return createClient(JobService, createConnectTransport({ baseUrl: node.url, httpVersion: "2" }));
}

async function pair(): Promise<{ master: TestNode; follower: TestNode; jobs: Client<typeof JobService> }> {
  const master = await startNode();
  const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
  return { master, follower, jobs: jobsAt(follower) };
}

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => ConnectError.from(error),
  );
}

/** Takes connections, and breaks them off when a call comes. */
async function breakingMaster(): Promise<{ readonly address: string; count(): number }> {
  let count = 0;
  const server = http2.createServer();
  server.on("stream", (stream) => {
    count++;
    stream.on("error", () => {});
    stream.session?.on("error", () => {});
    stream.session?.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

/** As a node passes a call on. */
const forwardedBy = (incarnation: string) => ({ headers: { "elastic-job-forwarded": incarnation } });
const forwarded = forwardedBy("asker");

test("a call that a node of another database forwards is refused", async () => {
  const master = await startNode();
  const { jobs } = peerOf(master.address, asker(TEST_SECRETS, STRANGER));
  expect(await errorOf(jobs.addJob({ handler: "echo" }, forwardedBy(STRANGER)))).toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: expect.stringMatching(/CLUSTER_PREFIX.*MYSQL_URL/),
  });
  expect(master.api.calls).toEqual([]);
});

describe("a follower", () => {
  test("answers every call through the master", async () => {
    const { master, follower, jobs } = await pair();
    const { jobId } = await jobs.addJob({
      handler: "echo",
      payload: { kind: { case: "stringValue", value: "x" } },
    });
    expect(master.api.jobs.get(Number(jobId))?.spec.payload).toBe('"x"');
    expect((await jobs.getJobStatus({ jobId })).job?.handler).toBe("echo");
    const { job } = await jobs.updateJob({ jobId, job: { priority: 5 }, revision: 0 });
    expect(job).toMatchObject({ priority: 5, revision: 1 });
    const { outcomes } = await jobs.addJobs({
      jobs: [{ handler: "echo" }, { handler: "" }, { handler: "unknown" }],
    });
    expect(outcomes.map(({ outcome }) => outcome.case)).toEqual(["added", "failure", "failure"]);
    expect(outcomes[1]?.outcome.value).toMatchObject({ code: "invalid_argument" });
    const cluster = createClient(
      ClusterService,
      createConnectTransport({ baseUrl: follower.url, httpVersion: "1.1" }),
    );
    expect(await cluster.getCluster({})).toMatchObject({ masterAddress: master.address, epoch: 7 });
    await jobs.deleteJob({ jobId });
    expect((await errorOf(jobs.getJobStatus({ jobId }))).code).toBe(Code.NotFound);
    expect((await errorOf(jobs.addJob({ handler: "" }))).rawMessage).toMatch(/^handler: /);
  });

  test("gathers concurrent adds into few calls, and gives each its own answer", async () => {
    const { master, jobs } = await pair();
    const adds = Array.from({ length: 300 }, (_, n) =>
      jobs.addJob({ handler: n === 150 ? "" : "echo", name: `job-${n}` }),
    );
    const settled = await Promise.allSettled(adds);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(299);
    expect(settled[150]).toMatchObject({ status: "rejected", reason: { code: Code.InvalidArgument } });
    settled.forEach((result, n) => {
      if (result.status === "fulfilled") {
        expect(master.api.jobs.get(Number(result.value.jobId))?.spec.name).toBe(`job-${n}`);
      }
    });
    expect(master.api.calls.length).toBeLessThan(60);
    expect(master.api.calls.every(({ key }) => key !== null)).toBe(true);
  });

  test("passes on the caller's own key, on a call of its own", async () => {
    const { master, jobs } = await pair();
    const call = () => jobs.addJob({ handler: "echo" }, { headers: { "Idempotency-Key": "mine" } });
    const [first, second] = [await call(), await call()];
    expect(second.jobId).toBe(first.jobId);
    expect(master.api.calls).toEqual([
      { count: 1, key: "mine" },
      { count: 1, key: "mine" },
    ]);
  });

  test("waits out a failover, and repeats what the old master may have added with the same key", async () => {
    const { master, follower, jobs } = await pair();
    let began = false;
    // Adds, and dies before it can answer.
    master.api.beforeAdd = () => {
      began = true;
      return new Promise(() => {});
    };
    const adding = jobs.addJob({ handler: "echo" });
    await until("the add reached the old master", () => began);
    await master.server.close(0);
    follower.role.set({ kind: "none" });
    const next = await startNode();
    follower.role.set({ kind: "follower", master: next.asMaster });
    const { jobId } = await within(5000, "the add is answered", adding);
    expect(next.api.jobs.has(Number(jobId))).toBe(true);
    expect(next.api.calls[0]?.key).toBe(master.api.calls[0]?.key);
  });

  test("sends what breaks masters to one other at most, if it is large", async () => {
    const sockets = await breakingMaster();
    const master = { ...(await startNode()).asMaster, address: sockets.address };
    const follower = await startNode({ role: { kind: "follower", master } });
    const jobs = Array.from({ length: 300 }, () => ({ handler: "echo", name: "n".repeat(1000) }));
    const error = await errorOf(jobsAt(follower).addJobs({ jobs }, { timeoutMs: 5000 }));
    expect(error).toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining("could not be reached"),
    });
    expect(sockets.count()).toBe(2);
  });

  test("adds itself what it could not forward, once it is the master", async () => {
    const follower = await startNode({ role: { kind: "none" } });
    const adding = jobsAt(follower).addJob({ handler: "echo" });
    await new Promise((resolve) => setImmediate(resolve));
    follower.becomeMaster();
    const { jobId } = await within(5000, "the add is answered", adding);
    expect(follower.api.jobs.has(Number(jobId))).toBe(true);
  });

  test("does not repeat an update that the old master may have made", async () => {
    const { master, jobs } = await pair();
    const { jobId } = await jobs.addJob({ handler: "echo" });
    let updates = 0;
    master.api.updateJob = () => {
      updates += 1;
      return Promise.reject(new ElasticJobError("unavailable", "the mastership ended"));
    };
    const error = await errorOf(jobs.updateJob({ jobId, job: { priority: 5 } }));
    expect(error.code).toBe(Code.Unavailable);
    expect(updates).toBe(1);
  });

  test("goes on watching through the next master", async () => {
    const { master, follower, jobs } = await pair();
    const { jobId } = await jobs.addJob({ handler: "echo" });
    const next = await startNode();
    const record = master.api.jobs.get(Number(jobId));
    if (record === undefined) throw new Error("not added");
    const seen: unknown[] = [];
    for await (const { job } of jobs.watchJob({ jobId })) {
      seen.push(job?.status);
      if (seen.length === 1) {
        next.api.jobs.set(record.id, record);
        follower.role.set({ kind: "follower", master: next.asMaster });
        void master.server.close(0);
      } else if (seen.length === 2) next.api.setStatus(record.id, STORED_STATUS.SUCCEEDED);
    }
    expect(seen).toEqual([2, 2, 5]);
  });
});

describe("without a master", () => {
  test("a call waits no longer than its deadline, and says why", async () => {
    const alone = await startNode({ role: { kind: "none" } });
    const jobs = jobsAt(alone);
    for (const call of [
      () => jobs.getJobStatus({ jobId: "1" }, { timeoutMs: 300 }),
      () => jobs.addJob({ handler: "echo" }, { timeoutMs: 300 }),
      () => jobs.deleteJob({ jobId: "1" }, { timeoutMs: 300 }),
    ]) {
      const start = performance.now();
      const error = await errorOf(call());
      expect([Code.Unavailable, Code.DeadlineExceeded]).toContain(error.code);
      expect(performance.now() - start).toBeLessThan(1500);
    }
  });

  test("a call without a deadline waits the default time, then is unavailable with a hint", async () => {
    const alone = await startNode({ role: { kind: "none" }, limits: { defaultWaitMs: 200 } });
    const error = await errorOf(jobsAt(alone).getJobStatus({ jobId: "1" }));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toMatch(/no master/);
    expect(Number(error.metadata.get("retry-after-ms"))).toBeGreaterThan(0);
  });

  test("a master that refuses connections is not waited for longer than the deadline", async () => {
    const gone = await startNode();
    const follower = await startNode({
      role: { kind: "follower", master: gone.asMaster },
      limits: { defaultWaitMs: 300 },
    });
    await gone.server.close(0);
    const error = await within(3000, "an answer", errorOf(jobsAt(follower).addJob({ handler: "echo" })));
    expect(error.code).toBe(Code.Unavailable);
  });

  test("lists and previews are answered all the same", async () => {
    const alone = await startNode({ role: { kind: "none" } });
    expect((await jobsAt(alone).getAllJobs({})).jobs).toEqual([]);
    const preview = await jobsAt(alone).previewSchedule({
      schedule: { case: "daily", value: { at: "08:30", timeZone: "Europe/Berlin" } },
      count: 3,
    });
    expect(preview.occurrences).toHaveLength(3);
    expect(preview.timeZoneData).toMatch(/^20\d\d/);
  });
});

describe("a call that was forwarded", () => {
  test("is not forwarded again", async () => {
    const one = await startNode();
    const two = await startNode({ role: { kind: "follower", master: one.asMaster } });
    // Each takes the other for the master.
    one.role.set({ kind: "follower", master: two.asMaster });
    const start = performance.now();
    for (const call of [
      () => peerOf(one.address).jobs.addJob({ handler: "echo" }, forwarded),
      () => peerOf(one.address).jobs.getJobStatus({ jobId: "1" }, forwarded),
    ]) {
      expect((await errorOf(call())).code).toBe(Code.Unavailable);
    }
    expect(performance.now() - start).toBeLessThan(2000);
    const error = await errorOf(jobsAt(one).getJobStatus({ jobId: "1" }, { timeoutMs: 300 }));
    expect([Code.Unavailable, Code.DeadlineExceeded]).toContain(error.code);
  });

  test("is refused by the master when it has a field that the master does not know", async () => {
    const { master, jobs } = await pair();
    const unknown: UnknownField = { no: 999, wireType: 0, data: new Uint8Array([1]) };
    const odd = create(AddJobRequestSchema, { handler: "echo" });
    odd.$unknown = [unknown];
    // One odd job spoils neither its batch nor its call.
    const [refused, added] = await Promise.allSettled([jobs.addJob(odd), jobs.addJob({ handler: "echo" })]);
    expect(refused).toMatchObject({
      status: "rejected",
      reason: { code: Code.FailedPrecondition, rawMessage: expect.stringContaining("999") },
    });
    expect(added.status).toBe("fulfilled");
    expect((await jobsAt(master).addJob(odd)).created).toBe(true);
  });
});

test("a call key that is too long is refused by name", async () => {
  const node = await startNode();
  const error = await errorOf(
    jobsAt(node).addJob({ handler: "echo" }, { headers: { "Idempotency-Key": "k".repeat(201) } }),
  );
  expect(error).toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: expect.stringMatching(/^Idempotency-Key: /),
  });
});

test("AddJobs takes 1 to 10,000 jobs", async () => {
  const node = await startNode();
  const jobs = jobsAt(node);
  expect((await errorOf(jobs.addJobs({}))).rawMessage).toMatch(/^jobs: has 0 /);
  const many = Array.from({ length: 10_000 }, () => ({ handler: "echo" }));
  expect((await jobs.addJobs({ jobs: many })).outcomes).toHaveLength(10_000);
  expect((await errorOf(jobs.addJobs({ jobs: [...many, { handler: "echo" }] }))).code).toBe(
    Code.InvalidArgument,
  );
});
