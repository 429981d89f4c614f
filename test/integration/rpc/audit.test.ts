/** Who did what: through any node, the edge and gRPC, on a real master and a real store. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createConnectTransport as createWebTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTokenLines } from "../../../src/core/callers/api-tokens.ts";
import { createEdge } from "../../../src/edge/app.ts";
import type { Refusals } from "../../../src/edge/log-refusals.ts";
import { type AuditRecord, ClusterService } from "../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { type StoredCluster, startStoredCluster } from "../../fixtures/rpc-node/stored-cluster.ts";
import { until } from "../../fixtures/until.ts";

const { tokens } = parseTokenLines(`
viewer   read     a-token-of-viewer-00
billing  write    a-token-of-billing-0
other    write    a-token-of-other-000
on-call  operate  a-token-of-on-call-0
`);
const credentials = { tokens: () => tokens, isOpen: false };

let cluster: StoredCluster;
beforeAll(async () => {
  cluster = await startStoredCluster({ credentials });
});
afterAll(() => cluster.close());

function sending(headers: Record<string, string>): { interceptors: Interceptor[] } {
  return {
    interceptors: [
      (next) => (request) => {
        for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
        return next(request);
      },
    ],
  };
}

function bearer(name: string): Record<string, string> {
  const found = tokens.find((one) => one.name === name);
  return { authorization: `Bearer ${found?.token}` };
}

type Open = (headers: Record<string, string>) => Transport;
const EDGE_CALLER = "203.0.113.9";

const atFollower: Open = (headers) =>
  createConnectTransport({ baseUrl: cluster.follower.url, httpVersion: "2", ...sending(headers) });
const byGrpc: Open = (headers) => createGrpcTransport({ baseUrl: cluster.node.url, ...sending(headers) });
const throughEdge: Open = (headers) => {
  const edge = createEdge({ upstreams: [cluster.follower.url], allowedOrigins: [], tokens: () => tokens });
  return createWebTransport({
    baseUrl: "http://edge",
    fetch: async (input, init) => edge.request(new Request(input, init), undefined, { remote: EDGE_CALLER }),
    ...sending(headers),
  });
};
const WAYS: readonly [string, Open, string][] = [
  ["a follower", atFollower, ""],
  ["gRPC at the master", byGrpc, ""],
  ["the edge", throughEdge, EDGE_CALLER],
];

const jobsBy = (name: string, open: Open = atFollower): Client<typeof JobService> =>
  createClient(JobService, open(bearer(name)));
const clusterBy = (name: string, open: Open = atFollower): Client<typeof ClusterService> =>
  createClient(ClusterService, open(bearer(name)));

type Query = Parameters<Client<typeof ClusterService>["getAudit"]>[0];

async function audit(query: Query = {}): Promise<AuditRecord[]> {
  const { records } = await clusterBy("on-call").getAudit({ pageSize: 1_000, ...query });
  return records;
}

const DAILY = { case: "daily" as const, value: { at: "03:00" } };
const LATER = {
  case: "timed" as const,
  value: { when: { case: "delay" as const, value: { seconds: 3600n } } },
};

/** The adds of it are stored within a second or so. */
async function addsOf(jobId: string): Promise<AuditRecord[]> {
  await until("the adds are stored", async () => (await audit({ jobId, method: "AddJobs" })).length > 0);
  return audit({ jobId, method: "AddJobs" });
}

describe.each(WAYS)("through %s", (_, open, forwardedFor) => {
  const who = (caller: string) => ({ caller, address: expect.stringContaining("127.0.0.1"), forwardedFor });

  test("each change is a record of its caller, with the job and what was changed", async () => {
    const jobs = jobsBy("billing", open);
    const add = { handler: "work", name: "the “bill”", payloadJson: '{"card":"4111"}', schedule: LATER };
    const { jobId } = await jobs.addJob(add);
    await jobs.pauseJob({ jobId });
    await jobs.resumeJob({ jobId });
    await jobs.updateJob({ jobId, job: { name: "a bill", payloadJson: '{"card":"4222"}', priority: 5 } });
    const { job: child } = await jobs.triggerJob({ jobId });
    await jobs.cancelJob({ jobId, scheduledAt: timestampFromMs(5) });
    await jobs.cancelJob({ jobId });
    await jobs.retryJob({ jobId }).catch(() => {});
    await jobs.deleteJob({ jobId });
    const added = await addsOf(jobId);
    expect(added).toMatchObject([{ ...who("billing"), outcome: "ok", detail: "work", jobId: "" }]);
    const records = await audit({ jobId });
    const said = records
      .filter(({ method }) => method !== "AddJobs")
      .map(({ method, outcome, detail }) => `${method} ${outcome}: ${detail}`)
      .reverse();
    expect(said).toEqual([
      'PauseJob ok: work "the “bill”"',
      'ResumeJob ok: work "the “bill”"',
      'UpdateJob ok: name, payload, priority; work "a bill"',
      'TriggerJob ok: work "a bill"',
      'CancelJob ok: the occurrence of 1970-01-01T00:00:00.005Z; work "a bill"',
      'CancelJob ok: work "a bill"',
      expect.stringMatching(/^RetryJob (ok|failed_precondition)/),
      'DeleteJob ok: work "a bill"',
    ]);
    for (const record of records) expect(record).toMatchObject(who("billing"));
    expect(JSON.stringify(records, (_key, value) => (typeof value === "bigint" ? 0 : value))).not.toMatch(
      /4111|4222|a-token/,
    );
    expect(await audit({ jobId: child?.jobId ?? "" })).toMatchObject([{ method: "TriggerJob", jobId }]);
  });

  test("a job that is put is a record by its key, and a set of them one with counts", async () => {
    const since = timestampFromMs(Date.now());
    const jobs = jobsBy("billing", open);
    const key = `put-${since.nanos}-${since.seconds}`;
    const { jobId } = await jobs.putJob({ idempotencyKey: key, job: { handler: "work", schedule: DAILY } });
    await jobs.putJob({ idempotencyKey: key, job: { handler: "work", schedule: DAILY, priority: 3 } });
    await jobs.putJobSet({ set: key, jobs: [{ name: "one", job: { handler: "work", schedule: DAILY } }] });
    const records = (await audit({ since, caller: "billing" })).filter(({ method }) =>
      method.startsWith("Put"),
    );
    expect(records.map(({ method, outcome, detail }) => `${method} ${outcome}: ${detail}`).reverse()).toEqual(
      [`PutJob ok: "${key}"; created`, `PutJob ok: "${key}"; updated`, `PutJobSet ok: "${key}"; 1 created`],
    );
    for (const record of records) expect(record).toMatchObject(who("billing"));
    expect(await audit({ jobId, method: "PutJob" })).toHaveLength(2);
  });

  test("drained nodes are records of their own, and so is what was not done", async () => {
    const since = timestampFromMs(Date.now());
    const operator = clusterBy("on-call", open);
    await operator.drainNode({ nodeId: "a" });
    await operator.undrainNode({ nodeId: "a" });
    await expect(operator.drainNode({ nodeId: "x".repeat(50_000) })).rejects.toMatchObject({
      code: Code.NotFound,
    });
    await expect(jobsBy("billing", open).pauseJob({ jobId: "987654321" })).rejects.toThrow(
      /no job 987654321/,
    );
    const records = (await audit({ since })).filter(({ outcome }) => outcome !== "permission_denied");
    expect(records).toMatchObject([
      { ...who("billing"), method: "PauseJob", jobId: "987654321", outcome: "not_found", detail: "" },
      { ...who("on-call"), method: "DrainNode", nodeId: `${"x".repeat(200)}…`, outcome: "not_found" },
      { ...who("on-call"), method: "UndrainNode", nodeId: "a", outcome: "ok" },
      { ...who("on-call"), method: "DrainNode", nodeId: "a", outcome: "ok" },
    ]);
    expect(await audit({ nodeId: "a", pageSize: 1 })).toMatchObject([{ method: "UndrainNode" }]);
  });

  test("adds of one caller within a second are one record", async () => {
    const since = timestampFromMs(Date.now());
    const [one, other] = [jobsBy("billing", open), jobsBy("other", open)];
    const job = { handler: "work", schedule: LATER };
    const adds = await Promise.all([
      ...Array.from({ length: 20 }, () => one.addJob(job)),
      ...Array.from({ length: 20 }, () => other.addJob(job)),
    ]);
    await one.addJobs({ jobs: Array.from({ length: 100 }, () => job) });
    const addedBy = async (caller: string) => audit({ method: "AddJobs", caller, since });
    const sum = (records: readonly AuditRecord[]) => records.reduce((total, { count }) => total + count, 0);
    await until("both are stored", async () => {
      return sum(await addedBy("billing")) === 120 && sum(await addedBy("other")) === 20;
    });
    // It may have been two seconds.
    for (const caller of ["billing", "other"]) expect((await addedBy(caller)).length).toBeLessThan(4);
    const [{ jobId } = { jobId: "" }] = adds;
    expect((await audit({ jobId, since })).map(({ caller }) => caller)).toContain("billing");
  });

  test("only operators read it", async () => {
    for (const name of ["viewer", "billing"]) {
      await expect(clusterBy(name, open).getAudit({})).rejects.toMatchObject({ code: Code.PermissionDenied });
    }
    await expect(createClient(ClusterService, open({})).getAudit({})).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
  });

  test("nobody gives himself another's name", async () => {
    const lies = {
      "elastic-job-caller": "on-call,10.0.0.1,",
      "elastic-job-forwarded-for": "198.51.100.1",
      "x-forwarded-for": "198.51.100.2",
    };
    const jobs = createClient(JobService, open({ ...bearer("billing"), ...lies }));
    await jobs.pauseJob({ jobId: "999" }).catch(() => {});
    const [record] = await audit({ jobId: "999" });
    expect(record).toMatchObject({ caller: "billing", address: expect.stringContaining("127.0.0.1") });
    // At a node, it is what he says; an edge says what it has seen.
    expect(record?.forwardedFor).toBe(forwardedFor === "" ? "198.51.100.1" : EDGE_CALLER);
  });
});

test("who says that a node has passed his call on is refused, and no record says his name", async () => {
  const { incarnation } = cluster.follower.asMaster;
  const headers = { "elastic-job-forwarded": incarnation, "elastic-job-caller": "ghost,10.0.0.1," };
  for (const open of [atFollower, byGrpc]) {
    const jobs = createClient(JobService, open({ ...bearer("billing"), ...headers }));
    await expect(jobs.pauseJob({ jobId: "998" })).rejects.toMatchObject({ code: Code.Unauthenticated });
  }
  expect(await audit({ jobId: "998" })).toEqual([]);
  expect(await audit({ caller: "ghost" })).toEqual([]);
});

test("what a role does not allow is a record of many tries, at whichever node", async () => {
  for (const open of [atFollower, byGrpc]) {
    const jobs = jobsBy("viewer", open);
    const since = timestampFromMs(Date.now());
    const tries = Array.from({ length: 200 }, () => jobs.deleteJob({ jobId: "1" }).catch(() => "refused"));
    expect(new Set(await Promise.all(tries))).toEqual(new Set(["refused"]));
    const refused = () => audit({ caller: "viewer", method: "DeleteJob", since });
    await until("all tries are stored", async () => {
      return (await refused()).reduce((sum, { count }) => sum + count, 0) === 200;
    });
    const records = await refused();
    expect(records.length).toBeLessThan(4);
    for (const record of records) expect(record).toMatchObject({ outcome: "permission_denied", jobId: "" });
  }
  const [told] = cluster.node.logger.lines.filter(({ message }) => message.includes("does not allow this"));
  expect(told).toMatchObject({ level: "warn" });
});

const refusalsInto = (told: string[]): Refusals => ({
  forbidden: ({ name, address }, method) => void told.push(`forbidden ${name} ${address} ${method}`),
  guessed: ({ name, address }, method) => void told.push(`guessed ${name} ${address} ${method}`),
  unknownAtNode: ({ name, address }, method) => void told.push(`unknown ${name} ${address} ${method}`),
});

test("a token that an edge accepts and its node does not is told as what it is", async () => {
  const told: string[] = [];
  const edge = createEdge({
    upstreams: [cluster.follower.url],
    allowedOrigins: [],
    tokens: () => [{ name: "new", role: "operate", token: "only-the-edge-knows-it" }],
    refusals: refusalsInto(told),
  });
  const call = (token: string) =>
    edge.request("http://edge/JobService/GetAllJobs", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
    });
  const answer = await call("only-the-edge-knows-it");
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({
    message: expect.stringContaining("this edge accepts the token, and the node behind it does not"),
  });
  await call("nobody-knows-this-one");
  expect(told).toEqual(["unknown new  GetAllJobs", "guessed   GetAllJobs"]);
});

test("tokens that are tried at a node are told by it, with where they came from, and without the tokens", async () => {
  const transport = createConnectTransport({
    baseUrl: cluster.node.url,
    httpVersion: "2",
    ...sending({ authorization: "Bearer guessed-guessed-guessed" }),
  });
  const jobs = createClient(JobService, transport);
  for (let tries = 0; tries < 3; tries++)
    await expect(jobs.getAllJobs({})).rejects.toThrow("is not accepted");
  const lines = () =>
    cluster.node.logger.lines.filter(
      ({ message, fields }) =>
        message.includes("API tokens that are not") && "method" in fields && fields.method === "GetAllJobs",
    );
  await until("it is told", () => lines().length > 0);
  expect(lines()[0]).toMatchObject({ level: "warn", fields: { method: "GetAllJobs", count: 3 } });
  expect(JSON.stringify(lines())).toContain("127.0.0.1");
  expect(JSON.stringify(lines())).not.toContain("guessed-guessed");
});

test("what a role does not allow at an edge is told by the edge", async () => {
  const told: string[] = [];
  const edge = createEdge({
    upstreams: [cluster.follower.url],
    allowedOrigins: [],
    tokens: () => tokens,
    refusals: refusalsInto(told),
  });
  const headers = { ...bearer("viewer"), "content-type": "application/json" };
  const request = new Request("http://edge/JobService/DeleteJob", { method: "POST", headers, body: "{}" });
  expect((await edge.request(request, undefined, { remote: EDGE_CALLER })).status).toBe(403);
  expect(told).toEqual([`forbidden viewer ${EDGE_CALLER} DeleteJob`]);
});

test("pages go through all of it, and say which field is wrong", async () => {
  const operator = clusterBy("on-call");
  const all = await audit();
  const seen: AuditRecord[] = [];
  let pageToken = "";
  do {
    const page = await operator.getAudit({ pageSize: 3, pageToken });
    seen.push(...page.records);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen.map(({ auditId }) => auditId)).toEqual(all.map(({ auditId }) => auditId));
  const { nextPageToken } = await operator.getAudit({ pageSize: 3 });
  const invalid = (field: string) => ({
    code: Code.InvalidArgument,
    rawMessage: expect.stringContaining(field),
  });
  await expect(operator.getAudit({ pageToken: nextPageToken, caller: "a" })).rejects.toMatchObject(
    invalid("pageToken: "),
  );
  await expect(operator.getAudit({ jobId: "x" })).rejects.toMatchObject(invalid("jobId: "));
  await expect(operator.getAudit({ since: { seconds: 1n << 60n, nanos: 0 } })).rejects.toMatchObject(
    invalid("since: "),
  );
  await expect(operator.getAudit({ pageSize: 1_001 })).rejects.toMatchObject(invalid("pageSize: "));
  expect(await audit({ caller: "x".repeat(100_000) })).toEqual([]);
});

test("without tokens, callers are of this machine, or anybody", async () => {
  const local = await startStoredCluster();
  const open = await startStoredCluster({ credentials: { tokens: () => [], isOpen: true } });
  for (const [one, caller] of [
    [local, "this machine"],
    [open, "anybody"],
  ] as const) {
    const transport = createConnectTransport({ baseUrl: one.follower.url, httpVersion: "2" });
    await createClient(JobService, transport)
      .pauseJob({ jobId: "1" })
      .catch(() => {});
    const { records } = await createClient(ClusterService, transport).getAudit({});
    expect(records).toMatchObject([{ caller, method: "PauseJob", outcome: "not_found" }]);
  }
  await local.master.close();
  await open.master.close();
});
