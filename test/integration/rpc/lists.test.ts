import { toBinary } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterEach, expect, test } from "vitest";
import { type JobRecord, OUTCOME, type ResultRecord, STORED_STATUS } from "../../../src/core/job.ts";
import { ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { JobStatus, Outcome } from "../../../src/gen/elasticjob/v1/job_pb.ts";
import {
  GetAllJobsResponseSchema,
  GetAllResultResponseSchema,
  JobService,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { resultOf } from "../../fixtures/job-fixture.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

afterEach(stopNodes);

async function start(): Promise<{ node: TestNode; jobs: Client<typeof JobService> }> {
  const node = await startNode();
  const transport = createConnectTransport({ baseUrl: node.url, httpVersion: "2" });
  return { node, jobs: createClient(JobService, transport) };
}

test("lists handlers page by page, on any node, and refuses what is no page of it", async () => {
  const master = await startNode();
  const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
  for (const { url } of [master, follower]) {
    const cluster = createClient(ClusterService, createConnectTransport({ baseUrl: url, httpVersion: "2" }));
    const first = await cluster.getHandlers({ pageSize: 2 });
    expect(first.handlers.map(({ name }) => name)).toEqual(["echo", "greet"]);
    expect(first.handlers[1]).toMatchObject({
      lastOffered: { seconds: 1n },
      forms: [{ payloadSchema: '{"type":"string"}', outputSchema: "", nodes: 1, nodeIds: ["n1"] }],
    });
    const { handlers, nextPageToken } = await cluster.getHandlers({ pageToken: first.nextPageToken });
    expect([handlers.map(({ name }) => name), nextPageToken]).toEqual([["mail"], ""]);
    await expect(cluster.getHandlers({ pageToken: "greet" })).rejects.toThrow(
      /pageToken: "greet" is not a token/,
    );
    await expect(cluster.getHandlers({ pageSize: 1_001 })).rejects.toThrow(/pageSize: is 1001; 1 to 1000 is/);
  }
});

const GRPC_LIMIT = 4 * 1024 * 1024;

test("shows what is waiting and due as PREPARED, and filters by it", async () => {
  const { jobs } = await start();
  const due = await jobs.addJob({ handler: "echo" });
  const later = await jobs.addJob({
    handler: "echo",
    schedule: { case: "timed", value: { when: { case: "delay", value: { seconds: 3600n } } } },
  });
  const idsIn = async (status: JobStatus) =>
    (await jobs.getAllJobs({ status })).jobs.map(({ jobId }) => jobId);
  expect(await idsIn(JobStatus.UNSPECIFIED)).toEqual([later.jobId, due.jobId]);
  expect(await idsIn(JobStatus.PREPARED)).toEqual([due.jobId]);
  expect(await idsIn(JobStatus.WAITING)).toEqual([later.jobId]);
  expect(await idsIn(JobStatus.RUNNING)).toEqual([]);
  const { jobs: all } = await jobs.getAllJobs({});
  expect(all.map(({ status }) => status)).toEqual([JobStatus.WAITING, JobStatus.PREPARED]);
});

test("pages cover every job once, and count when asked", async () => {
  const { jobs } = await start();
  await jobs.addJobs({
    jobs: Array.from({ length: 250 }, (_, n) => ({ handler: "echo", name: `n${n % 2}` })),
  });
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await jobs.getAllJobs({ namePrefix: "n1", pageSize: 40, pageToken, withTotal: true });
    expect(page.totalSize).toBe(125);
    seen.push(...page.jobs.map(({ jobId }) => jobId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toHaveLength(125);
  expect(new Set(seen).size).toBe(125);
  expect((await jobs.getAllJobs({ pageSize: 1000 })).jobs).toHaveLength(250);
  expect((await jobs.getAllJobs({})).jobs).toHaveLength(100);
});

test("says why a job waits for its next try", async () => {
  const { node, jobs } = await start();
  const { jobId } = await jobs.addJob({ handler: "echo" });
  const record = node.api.jobs.get(Number(jobId));
  if (record === undefined) throw new Error("not stored");
  const at = Date.now() + 3_600_000;
  const reasonWhen = async (fields: Partial<JobRecord>) => {
    node.api.jobs.set(record.id, { ...record, at, ...fields });
    return (await jobs.getAllJobs({})).jobs[0]?.reason;
  };
  expect(await reasonWhen({})).toBe("");
  expect(await reasonWhen({ attempt: 2, failures: 2 })).toBe("retry after 2 failed attempts");
  expect(await reasonWhen({ attempt: 1, lost: 1 })).toBe("retry: its node or thread was lost");
});

test.each([
  ["a page size over 1,000", { pageSize: 1001 }, /pageSize: is 1001/],
  ["a negative page size", { pageSize: -1 }, /pageSize: is -1/],
  ["a page token that is not ours", { pageToken: "abc" }, /pageToken/],
  ["a status that is none", { status: 2_000 as JobStatus }, /status: is 2000/],
])("refuses %s", async (_, request, message) => {
  const { jobs } = await start();
  await expect(jobs.getAllJobs(request)).rejects.toThrow(message);
});

test("refuses a page token with other filters than those it came from", async () => {
  const { jobs } = await start();
  await jobs.addJobs({ jobs: [{ handler: "echo" }, { handler: "echo" }] });
  const { nextPageToken } = await jobs.getAllJobs({ pageSize: 1 });
  await expect(jobs.getAllJobs({ pageSize: 1, pageToken: nextPageToken, handler: "echo" })).rejects.toThrow(
    /pageToken/,
  );
});

test("keeps a page of large payloads small enough for gRPC clients, and still lists every job", async () => {
  const { jobs } = await start();
  const payload = { kind: { case: "stringValue" as const, value: "x".repeat(1_000_000) } };
  for (let n = 0; n < 12; n++) await jobs.addJob({ handler: "echo", payload });
  const page = await jobs.getAllJobs({ pageSize: 12 });
  expect(page.jobs).toHaveLength(12);
  expect(page.jobs[0]?.payload).toBeDefined();
  expect(page.jobs[11]?.payload).toBeUndefined();
  expect(toBinary(GetAllJobsResponseSchema, page).byteLength).toBeLessThan(GRPC_LIMIT);
});

function result(jobId: number, claim: number, more: Partial<ResultRecord> = {}): ResultRecord {
  return resultOf({ jobId, claim, output: '{"ok":true}', ...more });
}

test("lists results with the names of their nodes, and filters them", async () => {
  const { node, jobs } = await start();
  node.list.nodes.push({ number: 1, incarnation: "i", nodeId: "node-one", unheardSince: null });
  node.list.results.push(result(1, 1, { outcome: OUTCOME.FAILED }), result(1, 2), result(2, 1, { node: 0 }));
  const { results } = await jobs.getAllResult({});
  expect(results.map(({ jobId, claim, nodeId }) => [jobId, claim, nodeId])).toEqual([
    ["2", 1, ""],
    ["1", 2, "node-one"],
    ["1", 1, "node-one"],
  ]);
  expect((await jobs.getAllResult({ jobId: "1", outcome: Outcome.FAILED })).results).toHaveLength(1);
  await expect(jobs.getAllResult({ jobId: "x" })).rejects.toThrow(/jobId: "x"/);

  const first = await jobs.getAllResult({ pageSize: 2 });
  const second = await jobs.getAllResult({ pageSize: 2, pageToken: first.nextPageToken });
  expect([first.results.length, second.results.length, second.nextPageToken]).toEqual([2, 1, ""]);
  // Names are read once, not for each list.
  expect(node.list.nodeReads).toBe(1);
});

test("ends a page of results early rather than exceed what gRPC clients take", async () => {
  const { node, jobs } = await start();
  const error = { name: "Error", message: "m".repeat(900_000), stack: "s".repeat(900_000) };
  for (let claim = 1; claim <= 9; claim++) node.list.results.push(result(1, claim, { error }));
  const seen: number[] = [];
  let pageToken = "";
  do {
    const page = await jobs.getAllResult({ pageToken });
    expect(toBinary(GetAllResultResponseSchema, page).byteLength).toBeLessThan(GRPC_LIMIT);
    seen.push(...page.results.map(({ claim }) => claim));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test("a running job shows the name of its node", async () => {
  const { node, jobs } = await start();
  node.list.nodes.push({ number: 4, incarnation: "i", nodeId: "node-four", unheardSince: null });
  const { jobId } = await jobs.addJob({ handler: "echo" });
  const record = node.api.jobs.get(Number(jobId)) as JobRecord;
  node.api.jobs.set(record.id, { ...record, status: STORED_STATUS.RUNNING, node: 4 });
  expect((await jobs.getJobStatus({ jobId })).job?.nodeId).toBe("node-four");
});

test("says why a prepared job waits, as the master has it, on every node", async () => {
  const { node: master, jobs } = await start();
  const follower = await startNode({ api: master.api, role: { kind: "follower", master: master.asMaster } });
  const transport = createConnectTransport({ baseUrl: follower.url, httpVersion: "2" });
  await jobs.addJobs({ jobs: [{ handler: "echo" }, { handler: "rare" }, { handler: "echo" }] });
  const inAnHour = {
    case: "timed",
    value: { when: { case: "delay", value: { seconds: 3600n } } },
  } as const;
  await jobs.addJob({ handler: "echo", schedule: inAnHour });
  await jobs.addJob({ handler: "gone", schedule: inAnHour });
  for (const at of [jobs, createClient(JobService, transport)]) {
    const { jobs: listed } = await at.getAllJobs({});
    expect(listed.map(({ reason }) => reason)).toEqual([
      "nobody takes gone",
      "",
      "nobody takes echo",
      "nobody takes rare",
      "nobody takes echo",
    ]);
  }
});

test("lists prepared jobs also while no master answers, and says so", async () => {
  const { node, jobs } = await start();
  await jobs.addJob({ handler: "echo" });
  node.role.set({ kind: "none" });
  const { jobs: listed } = await jobs.getAllJobs({});
  expect(listed.map(({ reason }) => reason)).toEqual(["the master does not answer at the moment"]);
});

test("says of a running job that it was cancelled, as its status does", async () => {
  const { node, jobs } = await start();
  const { jobId } = await jobs.addJob({ handler: "echo" });
  const record = node.api.jobs.get(Number(jobId));
  if (record === undefined) throw new Error("not stored");
  node.api.jobs.set(record.id, { ...record, status: STORED_STATUS.RUNNING, claim: 3 });
  const reason = async () => (await jobs.getAllJobs({})).jobs[0]?.reason;
  expect(await reason()).toBe("");
  node.list.results.push(resultOf({ jobId: record.id, claim: 3, outcome: OUTCOME.CANCELLED }));
  expect(await reason()).toBe("cancelled: its handler has not ended yet");
});

test("lists the children of a job, and refuses what is no job's id", async () => {
  const { jobs } = await start();
  const { jobId } = await jobs.addJob({ handler: "echo" });
  await jobs.addJob({ handler: "echo" });
  const children: (string | undefined)[] = [];
  for (let n = 0; n < 3; n++) children.unshift((await jobs.triggerJob({ jobId })).job?.jobId);
  const first = await jobs.getAllJobs({ parentId: jobId, pageSize: 2, withTotal: true });
  expect(first.totalSize).toBe(3);
  const rest = await jobs.getAllJobs({ parentId: jobId, pageToken: first.nextPageToken });
  expect([...first.jobs, ...rest.jobs].map((job) => job.jobId)).toEqual(children);
  await expect(jobs.getAllJobs({ parentId: jobId, handler: "rare" })).resolves.toMatchObject({ jobs: [] });
  await expect(jobs.getAllJobs({ parentId: "x" })).rejects.toThrow('parentId: "x" is not a job\'s id');
});
