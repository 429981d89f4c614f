import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import type { ElasticJobClient } from "../../../src/client/elastic-job-client.ts";
import type { AddJobInput, JobResult } from "../../../src/client/job-json.ts";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { until } from "../../fixtures/until.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../../servers/shared.ts";

const JOBS = 3000;

/** A tenth fail twice; of the others, some are timed, some take a while, some have a priority. */
function mixedJob(index: number): AddJobInput {
  if (index % 10 === 0) {
    return {
      handler: "fail",
      name: `job ${index}`,
      payload: { times: 2 },
      retry: { initialBackoff: "0.1s" },
    };
  }
  if (index % 10 === 1)
    return { handler: "echo", name: `job ${index}`, timed: { delay: "1s" }, payload: index };
  if (index % 10 === 2) return { handler: "sleep", name: `job ${index}`, payload: { ms: 20 } };
  return { handler: "echo", name: `job ${index}`, payload: { index }, priority: index % 3 };
}

describe("three nodes on real Redis and MySQL", () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let nodes: NodeProcess[] = [];
  let clients: ElasticJobClient[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
    const env = { MYSQL_URL: database.url, REDIS_URL: redisUrl(), CLUSTER_PREFIX: freshPrefix() };
    nodes = await Promise.all(
      ["a", "b", "c"].map((name) => startNodeProcess({ ...env, NODE_ID: name, SLOTS: "16" })),
    );
    clients = nodes.map(({ url }) => createClient({ baseUrl: url, timeoutMs: 20_000 }));
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await database.drop();
  });

  test("runs 3,000 mixed jobs, each to one success, on every node", { timeout: 60_000 }, async () => {
    const [client] = clients;
    if (client === undefined) throw new Error("no node");
    await until("all nodes have joined", async () => ((await client.getCluster()).nodes ?? []).length === 3);

    // Through every node, so that most adds are forwarded to the master.
    const added = await Promise.all(
      Array.from({ length: JOBS }, (_, index) => clients[index % 3]?.addJob(mixedJob(index))),
    );
    const ids = new Set(added.map((job) => job?.jobId));
    expect(ids.size).toBe(JOBS);

    await until(
      "all jobs have succeeded",
      async () =>
        (await client.getAllJobs({ status: "JOB_STATUS_SUCCEEDED", withTotal: true })).totalSize === JOBS,
      40_000,
    );

    const results: JobResult[] = [];
    for await (const result of client.eachResult({ pageSize: 1000 })) results.push(result);
    const succeeded = results.filter(({ outcome }) => outcome === "OUTCOME_SUCCEEDED");
    expect(new Set(succeeded.map(({ jobId }) => jobId))).toEqual(ids);
    expect(succeeded).toHaveLength(JOBS);
    const failed = results.filter(({ outcome }) => outcome === "OUTCOME_FAILED");
    expect(failed).toHaveLength((JOBS / 10) * 2);
    expect(results).toHaveLength(JOBS + failed.length);

    const byNode = Map.groupBy(succeeded, ({ nodeId }) => nodeId);
    expect([...byNode.keys()].sort()).toEqual(["a", "b", "c"]);
  });

  test("goes on after its master was killed", { timeout: 60_000 }, async () => {
    const [client] = clients;
    if (client === undefined) throw new Error("no node");
    const before = await client.getCluster();
    const master = nodes.find(({ address }) => address === before.masterAddress);
    const survivor = nodes.find(({ address }) => address !== before.masterAddress);
    if (master === undefined || survivor === undefined) throw new Error("no master");
    const left = createClient({ baseUrl: survivor.url, timeoutMs: 20_000 });

    const running = await left.addJob({ handler: "sleep", payload: { ms: 1500 } });
    const later = await left.addJob({ handler: "echo", timed: { delay: "1h" } });
    // Its row is there once it is answered, and its master dies the next moment.
    await left.pauseJob(later.jobId);
    await master.kill();
    const { jobId } = await left.addJob({ handler: "echo", payload: "after the failover" });
    for (const id of [jobId, running.jobId]) {
      await until(
        `job ${id} has succeeded`,
        async () => (await left.getJobStatus(id)).job?.status === "JOB_STATUS_SUCCEEDED",
        20_000,
      );
    }
    const after = await left.getCluster();
    expect(after.epoch).toBeGreaterThan(Number(before.epoch));
    expect(after.masterAddress).not.toBe(before.masterAddress);
    const { records } = await left.getAudit({ jobId: later.jobId, method: "PauseJob" });
    expect(records).toMatchObject([{ caller: "this machine", outcome: "ok", detail: "echo" }]);
    await until("the add is in the audit", async () => (await left.getAudit({ jobId })).records.length > 0);
  });

  test("hands over and exits when it is asked to stop", { timeout: 60_000 }, async () => {
    const alive = nodes.filter(({ pid }) => isAlive(pid));
    const [survivor] = alive;
    if (survivor === undefined) throw new Error("no node");
    const client = createClient({ baseUrl: survivor.url, timeoutMs: 20_000 });
    const { masterAddress } = await client.getCluster();
    const master = alive.find(({ address }) => address === masterAddress);
    const other = alive.find(({ address }) => address !== masterAddress);
    if (master === undefined || other === undefined) throw new Error("no second node");
    const rest = createClient({ baseUrl: other.url, timeoutMs: 20_000 });
    const { jobId } = await rest.addJob({ handler: "sleep", payload: { ms: 1000 } });

    // Its last second of adds is stored when it stops.
    const mine = createClient({ baseUrl: master.url });
    const added = await mine.addJob({ handler: "echo" });
    expect(await master.stop()).toBe(0);
    const { records } = await rest.getAudit({ jobId: added.jobId, method: "AddJobs" });
    expect(records.length).toBeGreaterThan(0);
    await until(
      "the job has succeeded",
      async () => (await rest.getJobStatus(jobId)).job?.status === "JOB_STATUS_SUCCEEDED",
    );
    const { results } = await rest.getAllResult({ jobId });
    expect(results?.map(({ outcome }) => outcome)).toEqual(["OUTCOME_SUCCEEDED"]);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
