/** Jobs that say what they do, tell how far they are and add others: on real nodes, seen at any of them, through failovers. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import type { ElasticJobClient } from "../../../src/client/elastic-job-client.ts";
import type { Job } from "../../../src/client/job-json.ts";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { until } from "../../fixtures/until.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../../servers/shared.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const INDEX = new URL("../../../src/index.ts", import.meta.url).href;
const MODULE = `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineJobs } from ${JSON.stringify(INDEX)};

async function untilThere(path, signal) {
  while (!existsSync(path)) await wait(50, undefined, { signal });
}

export default defineJobs({
  tells: async ({ payload }, { log, progress, signal }) => {
    log("begun", { payload });
    progress(0.4, "uploading");
    await untilThere(payload.until, signal);
    log.warn("about to end");
    console.log("printed at the end");
  },
  family: async (job, { add, attempt, signal }) => {
    const ids = [
      await add("child", { attempt }),
      await add("child", 2n ** 60n, { name: "second", priority: 5, delay: "1h" }),
      await add("child", undefined, { key: "named", runAt: new Date("2040-01-01T00:00:00Z") }),
    ];
    if (attempt === 1) throw new Error("once more: " + ids.join());
    return ids;
  },
  slowFamily: async ({ payload }, { add, progress, signal }) => {
    const ids = [];
    while (ids.length < 5) {
      ids.push(await add("child"));
      progress(ids.length / 5, "added");
      if (ids.length === 2) await untilThere(payload.until, signal);
    }
    return ids;
  },
  refused: (_, { add }) => add("child", 1, { prioritty: 3 }),
  nameless: (_, { add }) => add(""),
  child: (job) => job.payload ?? null,
});`;

let folder: string;
let database: Awaited<ReturnType<typeof freshDatabase>>;
const nodes = new Map<string, NodeProcess>();
const clients = new Map<string, ElasticJobClient>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "telling-jobs-"));
  database = await freshDatabase();
  const handlers = join(folder, "jobs.mts");
  await writeFile(handlers, MODULE);
  const env = { MYSQL_URL: database.url, REDIS_URL: redisUrl(), CLUSTER_PREFIX: freshPrefix() };
  // Jobs run at one node, which is not the first, and so not the first master.
  for (const [name, slots] of [
    ["a", "0"],
    ["b", "0"],
    ["worker", "8"],
  ] as const) {
    const node = await startNodeProcess({ ...env, NODE_ID: name, SLOTS: slots, HANDLERS: handlers });
    nodes.set(name, node);
    clients.set(name, createClient({ baseUrl: node.url, timeoutMs: 30_000 }));
  }
  await until("all have joined", async () => (await at("a").getCluster()).nodes.length === 3, 30_000);
});
afterAll(async () => {
  await Promise.all([...nodes.values()].map((node) => node.kill()));
  await database.drop();
  await rm(folder, { recursive: true });
});

function at(name: string): ElasticJobClient {
  const client = clients.get(name);
  if (client === undefined) throw new Error(`no node ${name}`);
  return client;
}

let files = 0;
function nextFile(): string {
  return join(folder, `go-on-${++files}`);
}

async function endedAt(name: string, jobId: string): Promise<Job> {
  let last: Job | undefined;
  for await (const { job } of at(name).watchJob(jobId)) last = job;
  if (last === undefined) throw new Error(`job ${jobId} is not there`);
  return last;
}

describe("a job that tells what it does", () => {
  test("is heard at every node while it runs, in its node's log, and by who comes later", async () => {
    const file = nextFile();
    const payload = { until: file };
    const { jobId } = await at("b").addJob({ handler: "tells", payload });
    const followed: string[] = [];
    const following = (async () => {
      for await (const { text } of at("b").watchJobLog(jobId)) followed.push(text);
    })();
    await until("its first line is followed", () => followed.length === 1, 30_000);
    for (const name of nodes.keys()) {
      const { job } = await at(name).getJobStatus(jobId);
      expect(job.progress).toMatchObject({ fraction: 0.4, text: "uploading" });
      expect(await at(name).getJobLog({ jobId })).toMatchObject({
        running: true,
        lines: [{ text: "begun" }],
      });
    }
    await writeFile(file, "");
    await following;
    expect(followed).toEqual(["begun", "about to end", "printed at the end"]);
    expect((await at("a").getJobStatus(jobId)).job).not.toHaveProperty("progress");
    const { lines } = await at("a").getJobLog({ jobId, claim: 1 });
    expect(lines.map(({ level, printed, fields }) => [level, printed, fields])).toEqual([
      ["LOG_LEVEL_INFO", false, { payload }],
      ["LOG_LEVEL_WARN", false, undefined],
      ["LOG_LEVEL_INFO", true, undefined],
    ]);
    const told = nodes.get("worker")?.log.filter((line) => line.includes('"a job says"'));
    expect(told?.map((line) => JSON.parse(line))).toMatchObject([
      {
        level: "info",
        jobId: Number(jobId),
        claim: 1,
        attempt: 1,
        handler: "tells",
        text: "begun",
        fields: { payload },
      },
      { level: "warn", text: "about to end" },
    ]);
  });
});

describe("a job that adds others", () => {
  test("adds nothing twice when it is tried again, and is their parent", async () => {
    const { jobId } = await at("a").addJob({ handler: "family", retry: { initialBackoff: "0.1s" } });
    await endedAt("a", jobId);
    const results = [];
    for await (const result of at("a").eachResult({ jobId })) results.push(result);
    const [last, first] = results;
    const ids = last?.output as string[];
    expect(first?.error?.message).toBe(`once more: ${ids.join()}`);
    const children = [];
    for await (const job of at("b").eachJob({ parentId: jobId })) children.push(job);
    expect(children.map((job) => job.jobId).toReversed()).toEqual(ids);
    const [named, second, counted] = children;
    expect(named).toMatchObject({ timed: { runAt: "2040-01-01T00:00:00Z" }, status: "JOB_STATUS_WAITING" });
    expect(second).toMatchObject({
      name: "second",
      priority: 5,
      payloadJson: "1152921504606846976",
      parentId: jobId,
    });
    // What the first attempt asked for counts.
    expect(counted?.payload).toEqual({ attempt: 1 });
  });

  test.each([
    ["refused", /^add: .*prioritty/],
    ["nameless", /^add: handler: /],
  ])("%s is told what is wrong", async (handler, message) => {
    const { jobId } = await at("worker").addJob({ handler, retry: { maxAttempts: 1 } });
    await endedAt("worker", jobId);
    const { lastResult } = await at("worker").getJobStatus(jobId);
    expect(lastResult?.error?.message).toMatch(message);
  });

  test("goes on when the master dies in between", async () => {
    const file = nextFile();
    const { jobId } = await at("worker").addJob({ handler: "slowFamily", payload: { until: file } });
    const children = async () => {
      const ids: string[] = [];
      for await (const job of at("worker").eachJob({ parentId: jobId })) ids.push(job.jobId);
      return ids.toReversed();
    };
    await until("two are added", async () => (await children()).length === 2, 30_000);
    const knowsProgress = async () => (await at("worker").getJobStatus(jobId)).job.progress?.fraction === 0.4;
    await until("the master knows its progress", knowsProgress, 30_000);
    const { masterNodeId = "" } = await at("worker").getCluster();
    expect(masterNodeId).not.toBe("worker");
    await nodes.get(masterNodeId)?.kill();
    // The next master hears from the node how far the job is.
    const { job } = await at("worker").getJobStatus(jobId);
    expect(job).toMatchObject({ status: "JOB_STATUS_RUNNING" });
    await until("the next master knows its progress", knowsProgress, 30_000);
    await writeFile(file, "");
    await endedAt("worker", jobId);
    const { lastResult } = await at("worker").getJobStatus(jobId);
    expect(lastResult?.output).toEqual(await children());
    expect(lastResult).toMatchObject({ attempt: 1, outcome: "OUTCOME_SUCCEEDED" });
    expect(await children()).toHaveLength(5);
  });
});
