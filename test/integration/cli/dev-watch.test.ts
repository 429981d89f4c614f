/** `elastic-job dev --watch`: what becomes of running jobs, of new ones, and of a module that does not load. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import type { ElasticJobClient } from "../../../src/client/elastic-job-client.ts";
import { until } from "../../fixtures/until.ts";

vi.setConfig({ testTimeout: 90_000 });

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
const INDEX = new URL("../../../src/index.ts", import.meta.url).href;
const LIMIT_MS = 30_000;

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dev-watch-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  await rm(folder, { recursive: true, maxRetries: 5 });
});

/** A module whose handlers say which version they are of; `hold` ends when a file is there. */
function moduleOf(version: number, handlers = "", options = "{ schedules: {} }"): string {
  return `
    import { existsSync } from "node:fs";
    import { setTimeout as wait } from "node:timers/promises";
    import { defineJobs } from ${JSON.stringify(INDEX)};
    import { part } from "./part.ts";
    export default defineJobs({
      version: () => "${version} " + part,
      hold: async ({ payload }) => {
        while (!existsSync(payload)) await wait(20);
        return "${version} " + part;
      },
      ${handlers}
    }, ${options});`;
}

async function write(name: string, text: string): Promise<void> {
  const path = join(folder, name);
  // As editors do: a reader never finds half of it.
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

function launch(more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, "dev", "--watch"], {
    env: {
      PATH: process.env["PATH"],
      DATA_DIR: join(folder, "data"),
      HANDLERS: join(folder, "jobs.ts"),
      PORT: "0",
      EDGE_PORT: "0",
      SLOTS: "4",
      ...more,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const printed = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      printed.text += part.toString();
    });
  }
  return { child, printed };
}

async function dev() {
  await write("part.ts", 'export const part = "first";');
  await write("jobs.ts", moduleOf(1));
  const { printed } = launch();
  await until("dev is up", () => / is at http:\S+/.test(printed.text), LIMIT_MS);
  const [, url = ""] = / is at (http:\S+)/.exec(printed.text) ?? [];
  const client = createClient({ baseUrl: url, timeoutMs: LIMIT_MS });
  const told = (message: string, times: number) =>
    until(`"${message}" is told`, () => printed.text.split(message).length > times, LIMIT_MS);
  return { client, printed, told };
}

async function outcomeOf(client: ElasticJobClient, jobId: string): Promise<unknown> {
  for await (const { job, lastResult } of client.watchJob(jobId)) {
    if (job.status === "JOB_STATUS_SUCCEEDED") return lastResult?.output;
  }
  throw new Error(`job ${jobId} has not succeeded`);
}

async function run(
  client: ElasticJobClient,
  handler: string,
  payload: string | null = null,
): Promise<unknown> {
  return outcomeOf(client, (await client.addJob({ handler, payload })).jobId);
}

const LOADED = "the handlers are loaded anew";
const NOT_USED = "the changed handlers are not used; those before go on";

test("a changed module, or a file that it imports, is loaded anew; running jobs end on the old one", async () => {
  const { client, told } = await dev();
  expect(await run(client, "version")).toBe("1 first");
  const file = join(folder, "go-on");
  const { jobId } = await client.addJob({ handler: "hold", payload: file });
  await until(
    "it runs",
    async () => (await client.getJobStatus(jobId)).job.status === "JOB_STATUS_RUNNING",
    LIMIT_MS,
  );
  await write("jobs.ts", moduleOf(2));
  await told(LOADED, 1);
  expect(await run(client, "version")).toBe("2 first");
  await write("part.ts", 'export const part = "second";');
  await told(LOADED, 2);
  expect(await run(client, "version")).toBe("2 second");
  await writeFile(file, "");
  expect(await outcomeOf(client, jobId)).toBe("1 first");
  const items: unknown[] = [];
  for await (const result of client.eachResult({ jobId })) items.push(result);
  expect(items).toHaveLength(1);
});

test("a module that does not load keeps the last good one, and one line says which file and what", async () => {
  const { client, printed, told } = await dev();
  const wrong = [
    ["jobs.ts", `${moduleOf(2)} }`, /SyntaxError.*jobs\.ts/],
    ["jobs.ts", moduleOf(2).replace("./part.ts", "./missing.ts"), /jobs\.ts.*missing\.ts/],
    ["jobs.ts", "throw new Error('not today');", /jobs\.ts.*not today/],
    [
      "jobs.ts",
      moduleOf(2, "", '{ schedules: { bad: { handler: "version", cron: "61 * * * *" } } }'),
      /schedules\.bad\.cron/,
    ],
    ["part.ts", "export const part = ;", /part\.ts/],
  ] as const;
  for (const [index, [file, text, expected]] of wrong.entries()) {
    if (file === "part.ts") await write("jobs.ts", moduleOf(2));
    await write(file, text);
    await told(NOT_USED, index + 1);
    const lines = printed.text.split("\n").filter((line) => line.includes(NOT_USED));
    expect(lines.at(-1)).toMatch(expected);
    expect(await run(client, "version")).toBe("1 first");
  }
  await write("part.ts", 'export const part = "mended";');
  await told(LOADED, 1);
  expect(await run(client, "version")).toBe("2 mended");
});

test("new handlers are offered, and schedules put", async () => {
  const { client, told } = await dev();
  const options = '{ schedules: { nightly: { handler: "added", cron: "0 3 * * *" } } }';
  await write("jobs.ts", moduleOf(2, 'added: () => "added",', options));
  await told(LOADED, 1);
  await until(
    "it is offered",
    async () => (await client.getCluster()).nodes[0]?.handlers?.includes("added") ?? false,
    LIMIT_MS,
  );
  expect(await run(client, "added")).toBe("added");
  await until(
    "it is put",
    async () => (await client.getAllJobs({ namePrefix: "nightly" })).jobs.length === 1,
    LIMIT_MS,
  );
  await write("jobs.ts", moduleOf(3));
  await told(LOADED, 2);
  await until(
    "it is gone",
    async () => (await client.getAllJobs({ namePrefix: "nightly" })).jobs.length === 0,
    LIMIT_MS,
  );
});

test("without a module there is nothing to watch", async () => {
  const { child, printed } = launch({ HANDLERS: "" });
  expect(await once(child, "exit")).toEqual([2, null]);
  expect(printed.text).toContain("--watch: needs HANDLERS");
});
