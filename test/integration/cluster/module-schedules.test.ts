/** Real nodes that put the schedules of their handlers' module: alone, ten at once, and in a rolling deploy. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import type { Job } from "../../../src/client/job-json.ts";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { until } from "../../fixtures/until.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../../servers/shared.ts";

const INDEX = new URL("../../../src/index.ts", import.meta.url).href;
const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
const PUT = "the schedules are put";
const NEWER = "the set of schedules is of a newer generation";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
const nodes: NodeProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "module-schedules-"));
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.kill()));
  await rm(folder, { recursive: true });
});

function moduleOf(options: object): string {
  return `import { defineJobs } from ${JSON.stringify(INDEX)};
    export default defineJobs({ report: () => "reported" }, ${JSON.stringify(options)});`;
}

async function start(name: string, options: object, env: Record<string, string>): Promise<NodeProcess> {
  const path = join(folder, `${name}.mts`);
  await writeFile(path, moduleOf(options));
  const node = await startNodeProcess({ SLOTS: "2", NODE_ID: name, HANDLERS: path, ...env });
  nodes.push(node);
  return node;
}

/** The first of its lines with such a message. */
async function told(node: NodeProcess, message: string): Promise<Readonly<Record<string, unknown>>> {
  const find = () => node.log.find((line) => line.includes(message));
  await until(`a node tells that ${message}`, () => find() !== undefined, 60_000);
  return JSON.parse(find() ?? "{}") as Readonly<Record<string, unknown>>;
}

async function jobsAt({ url }: NodeProcess): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  for await (const job of createClient({ baseUrl: url, timeoutMs: 20_000 }).eachJob())
    jobs.set(job.idempotencyKey, job);
  return jobs;
}

const nightly = { handler: "report", cron: "0 3 * * *", timeZone: "Europe/Berlin" };

describe("a node alone", () => {
  test("makes jobs of its module's schedules, runs them, and puts them again as they are when it comes back", async () => {
    const env = { DATA_DIR: folder };
    const schedules = {
      nightly,
      often: { handler: "report", every: "1s" },
      old: { handler: "report", daily: "04:00" },
    };
    const first = await start("first", { schedules, set: "billing" }, env);
    expect(await told(first, PUT)).toMatchObject({
      set: "billing",
      generation: "none",
      created: 3,
      deleted: 0,
    });
    const client = createClient({ baseUrl: first.url });
    const jobs = await jobsAt(first);
    expect([...jobs.keys()].toSorted()).toEqual(["billing/nightly", "billing/often", "billing/old"]);
    expect(jobs.get("billing/nightly")).toMatchObject({
      name: "nightly",
      cron: { timeZone: "Europe/Berlin" },
    });
    const often = jobs.get("billing/often")?.jobId ?? "";
    await until("it has run", async () => {
      const { results } = await client.getAllResult({ jobId: often, outcome: "OUTCOME_SUCCEEDED" });
      return results.length > 0;
    });
    await client.pauseJob(jobs.get("billing/nightly")?.jobId ?? "");
    await first.kill();
    nodes.splice(0);

    const kept = await start(
      "kept",
      { schedules: { nightly }, set: "billing" },
      { ...env, SCHEDULES_MISSING: "keep" },
    );
    expect(await told(kept, PUT)).toMatchObject({ created: 0, updated: 0, unchanged: 1, deleted: 0 });
    expect((await jobsAt(kept)).size).toBe(3);
    await kept.kill();
    nodes.splice(0);

    const last = await start("last", { schedules: { nightly }, set: "billing" }, env);
    expect(await told(last, PUT)).toMatchObject({ created: 0, updated: 0, unchanged: 1, deleted: 2 });
    const left = await jobsAt(last);
    expect([...left.keys()]).toEqual(["billing/nightly"]);
    expect(left.get("billing/nightly")).toMatchObject({ status: "JOB_STATUS_PAUSED", revision: 1 });
  });

  test.each(["node", "dev"])(
    "that runs as %s says of a schedule that can't be which it is, in one line, and exits",
    async (command) => {
      const path = join(folder, "wrong.mts");
      await writeFile(path, moduleOf({ schedules: { nightly: { ...nightly, cron: "0 25 * * *" } } }));
      const env = {
        PATH: process.env["PATH"] ?? "",
        HOST: "127.0.0.1",
        PORT: "0",
        EDGE_PORT: "0",
        DATA_DIR: folder,
        HANDLERS: path,
      };
      const child = spawn(process.execPath, [MAIN, command], { env, stdio: ["ignore", "ignore", "pipe"] });
      let printed = "";
      child.stderr.on("data", (part: Buffer) => {
        printed += part.toString();
      });
      const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
      const [code] = await once(child, "close");
      clearTimeout(limit);
      expect(code).toBe(2);
      const lines = printed
        .trim()
        .split("\n")
        .filter((line) => line.includes("schedules"));
      expect(lines).toEqual([
        expect.stringMatching(/HANDLERS: .*wrong\.mts: schedules\.nightly\.cron: hour \(field 2 of 5\) "25"/),
      ]);
    },
  );
});

describe("nodes of a cluster", () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let env: Record<string, string>;
  beforeEach(async () => {
    database = await freshDatabase();
    env = { MYSQL_URL: database.url, REDIS_URL: redisUrl(), CLUSTER_PREFIX: freshPrefix() };
  });
  afterEach(() => database.drop());

  test("ten that start at once make one job of each schedule", async () => {
    const schedules = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`s${index}`, nightly]));
    const ten = await Promise.all(
      Array.from({ length: 10 }, (_, index) => start(`n${index}`, { schedules }, { ...env, SLOTS: "1" })),
    );
    const lines = await Promise.all(ten.map((node) => told(node, PUT)));
    const total = (word: string) => lines.reduce((sum, line) => sum + Number(line[word]), 0);
    const [created, unchanged, updated] = ["created", "unchanged", "updated"].map(total);
    expect({ updated, all: (created ?? 0) + (unchanged ?? 0) }).toEqual({ updated: 0, all: 200 });
    // A put whose answer was lost with a master is made again, and then finds what it has created.
    expect(created).toBeLessThanOrEqual(20);
    const [one] = ten;
    if (one === undefined) throw new Error("no node");
    const jobs = await jobsAt(one);
    expect([...jobs.keys()].toSorted()).toEqual(
      Object.keys(schedules)
        .map((name) => `default/${name}`)
        .toSorted(),
    );
    const { totalSize } = await createClient({ baseUrl: one.url }).getAllJobs({ withTotal: true });
    expect(totalSize).toBe(20);
  });

  test("of an older generation change nothing and say so, whichever is master", async () => {
    const of = (generation: number) => ({ ...env, SCHEDULES_GENERATION: String(generation) });
    const old = { schedules: { nightly, gone: { handler: "report", daily: "05:00" } } };
    const young = {
      schedules: { nightly: { ...nightly, cron: "0 4 * * *" }, added: { handler: "report", every: "2h" } },
    };
    const first = await start("old-1", old, of(1));
    expect(await told(first, PUT)).toMatchObject({ generation: "1", created: 2 });
    const second = await start("young-1", young, of(2));
    expect(await told(second, PUT)).toMatchObject({ generation: "2", created: 1, updated: 1, deleted: 1 });
    // A node of the old version that is restarted in the middle of the deploy.
    const late = await start("old-2", old, of(1));
    expect(await told(late, NEWER)).toMatchObject({ generation: "2", own: "1" });
    await first.kill();
    const last = await start("young-2", young, of(2));
    expect(await told(last, PUT)).toMatchObject({ created: 0, updated: 0, unchanged: 2, deleted: 0 });
    const jobs = await jobsAt(last);
    expect([...jobs.keys()].toSorted()).toEqual(["default/added", "default/nightly"]);
    expect(jobs.get("default/nightly")).toMatchObject({ cron: { expression: "0 4 * * *" }, revision: 1 });
  });
});
