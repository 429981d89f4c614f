/** What becomes of processes that serve: real ones, embedded, so that they need no servers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import { until } from "../../fixtures/until.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
const PRINTING = `
  const line = "x".repeat(1000);
  export default { print: () => { for (let i = 0; i < 100; i++) { console.log(line); console.error(line); } return "printed"; } };`;

let folder: string;
let child: ChildProcess | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serving-"));
  await writeFile(join(folder, "handlers.mts"), PRINTING);
});
afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  child = null;
  await rm(folder, { recursive: true });
});

/** Starts a process, and waits for the line of stdout that tells where it is. */
async function serve(command: string, more: Record<string, string> = {}) {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    DATA_DIR: folder,
    HANDLERS: join(folder, "handlers.mts"),
    HOST: "127.0.0.1",
    PORT: "0",
    EDGE_PORT: "0",
    SLOTS: "4",
    ...more,
  };
  const started = spawn(process.execPath, [MAIN, command], { env, stdio: ["ignore", "pipe", "pipe"] });
  child = started;
  const printed = { stdout: "", stderr: "" };
  started.stdout.on("data", (part: Buffer) => (printed.stdout += part.toString()));
  started.stderr.on("data", (part: Buffer) => (printed.stderr += part.toString()));
  const ended = once(started, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  await until(`${command} is up`, () => / is at \S+/.test(printed.stdout));
  const [, where = ""] = / is at (?:http:\/\/)?([0-9.:]+)/.exec(printed.stdout) ?? [];
  return { started, printed, ended, url: `http://${where}` };
}

/** Runs the printing handler, to its end. */
async function print(url: string) {
  const client = createClient({ baseUrl: url });
  const { jobId } = await client.addJob({ handler: "print" });
  await until(`job ${jobId} has ended`, async () => {
    const { job } = await client.getJobStatus(jobId);
    return job.status === "JOB_STATUS_SUCCEEDED";
  });
}

describe("a node", () => {
  test("whose stdout is lost serves on, says so once, and drains at SIGHUP", async () => {
    const { started, printed, ended, url } = await serve("node");
    started.stdout.destroy();
    await print(url);
    await print(url);
    started.kill("SIGHUP");
    expect(await ended).toEqual([0, null]);
    expect(printed.stderr.match(/stdout is lost \(.*EPIPE.*\); serving on/g)).toHaveLength(1);
    expect(printed.stderr).toContain("stopping; running jobs may finish");
    expect(printed.stderr).toContain("node has stopped");
  });

  test("whose stdout and stderr are lost serves on, and drains at SIGTERM", async () => {
    const { started, ended, url } = await serve("node");
    started.stdout.destroy();
    started.stderr.destroy();
    await print(url);
    await print(url);
    started.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  test("exits at once at a second signal, as the shell knows it", async () => {
    const { started, printed, ended, url } = await serve("node");
    await createClient({ baseUrl: url }).addJob({ handler: "sleep", payload: { ms: 60_000 } });
    started.kill("SIGHUP");
    await until("it is stopping", () => printed.stderr.includes("stopping;"));
    started.kill("SIGHUP");
    expect(await ended).toEqual([129, null]);
  });
});

test("dev whose stdout is lost serves on, edge included", async () => {
  const { started, printed, ended, url } = await serve("dev");
  started.stdout.destroy();
  await print(url);
  await print(url);
  started.kill("SIGHUP");
  expect(await ended).toEqual([0, null]);
  expect(printed.stderr).toContain("stdout is lost");
});
