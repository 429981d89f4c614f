/** What becomes of processes that serve: real ones, embedded, so that they need no servers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import { processFolder } from "../../fixtures/process-folder.ts";
import { within } from "../../fixtures/real-time.ts";
import { until } from "../../fixtures/until.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
const PRINTING = `
  const line = "x".repeat(1000);
  export default { print: () => { for (let i = 0; i < 100; i++) { console.log(line); console.error(line); } return "printed"; } };`;

const folder = processFolder("serving", PRINTING);

function settings(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    DATA_DIR: folder.path,
    HANDLERS: folder.handlersPath,
    HOST: "127.0.0.1",
    PORT: "0",
    EDGE_PORT: "0",
    SLOTS: "4",
    ...more,
  };
}

function launch(command: string, more: Record<string, string> = {}) {
  const started = spawn(process.execPath, [MAIN, command], {
    env: settings(more),
    stdio: ["ignore", "pipe", "pipe"],
  });
  folder.child = started;
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    started[name].on("data", (part: Buffer) => {
      printed[name] += part.toString();
    });
  }
  const ended = once(started, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  return { started, printed, ended };
}

/** Starts a process, and waits for the line of stdout that tells where it is. */
async function serve(command: string, more: Record<string, string> = {}) {
  const launched = launch(command, more);
  const { printed } = launched;
  await until(`${command} is up`, () => / is at \S+/.test(printed.stdout), 30_000);
  const [, where = ""] = / is at (?:http:\/\/)?([0-9.:]+)/.exec(printed.stdout) ?? [];
  return { ...launched, url: `http://${where}` };
}

/** Runs the printing handler, to its end. */
async function print(url: string) {
  const client = createClient({ baseUrl: url });
  const { jobId } = await client.addJob({ handler: "print" });
  await until(
    `job ${jobId} has ended`,
    async () => {
      const { job } = await client.getJobStatus(jobId);
      return job.status === "JOB_STATUS_SUCCEEDED";
    },
    30_000,
  );
}

// Each starts processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

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

  test("that is drained gives out nothing until it is undrained, and what runs by then goes on", async () => {
    const { url } = await serve("node", { DRAIN_GRACE_MS: "1000", NODE_ID: "n1" });
    const client = createClient({ baseUrl: url });
    const statusOf = async (jobId: string) => (await client.getJobStatus(jobId)).job;
    const slow = await client.addJob({ handler: "sleep", payload: { ms: 4_000 } });
    await until("it runs", async () => (await statusOf(slow.jobId)).status === "JOB_STATUS_RUNNING");
    await client.drainNode("n1");
    const waiting = await client.addJob({ handler: "echo" });
    const { jobs } = await client.getAllJobs();
    expect(jobs[0]).toMatchObject({
      jobId: waiting.jobId,
      status: "JOB_STATUS_PREPARED",
      reason: "the only node that can take it, n1, is draining",
    });
    await client.undrainNode("n1");
    for (const { jobId } of [waiting, slow]) {
      await until(
        `job ${jobId} has succeeded`,
        async () => (await statusOf(jobId)).status === "JOB_STATUS_SUCCEEDED",
        30_000,
      );
      expect((await statusOf(jobId)).attempt).toBe(1);
    }
  });

  test("exits at once at a second signal, as the shell knows it", async () => {
    const { started, printed, ended, url } = await serve("node");
    await createClient({ baseUrl: url }).addJob({ handler: "sleep", payload: { ms: 60_000 } });
    started.kill("SIGTERM");
    await until("it is stopping", () => printed.stderr.includes("stopping;"));
    started.kill("SIGTERM");
    expect(await ended).toEqual([143, null]);
  });
});

test("whoever stops npm stops what it has started, which drains", async () => {
  // As `npm start`: a shell that waits for the program, and passes no signal on.
  const shell = spawn("sh", ["-c", `"$0" "$1" dev; true`, process.execPath, MAIN], {
    env: settings({ npm_lifecycle_event: "start" }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  folder.child = shell;
  let stdout = "";
  let stderr = "";
  shell.stdout.on("data", (part: Buffer) => {
    stdout += part.toString();
  });
  shell.stderr.on("data", (part: Buffer) => {
    stderr += part.toString();
  });
  await until("it is up", () => stdout.includes(" is at "), 30_000);
  shell.kill("SIGTERM");
  await once(shell, "exit");
  await until("it drains", () => stderr.includes("stopping; running jobs may finish"), 10_000);
  await until("it has stopped", () => stderr.includes("node has stopped"), 10_000);
});

test.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)(
  "a terminal that is closed drains: SIGHUP again, after %s, changes nothing",
  async (first) => {
    const { started, printed, ended, url } = await serve("dev");
    const client = createClient({ baseUrl: url });
    const { jobId } = await client.addJob({ handler: "sleep", payload: { ms: 2_500 } });
    await until("it runs", async () => {
      const { job } = await client.getJobStatus(jobId);
      return job.status === "JOB_STATUS_RUNNING";
    });
    // The shell's and the kernel's come at once.
    started.kill(first);
    started.kill("SIGHUP");
    await until("it is stopping", () => printed.stderr.includes("stopping;"));
    started.kill("SIGHUP");
    expect(await ended).toEqual([0, null]);
    expect(printed.stderr.match(/stopping;/g)).toHaveLength(1);
    const again = await serve("dev");
    const { job } = await createClient({ baseUrl: again.url }).getJobStatus(jobId);
    expect(job).toMatchObject({ status: "JOB_STATUS_SUCCEEDED", attempt: 1 });
  },
);

describe("a start that fails is told in one line, and ends the process:", () => {
  test("a certificate that is not there, while Redis is being connected to", async () => {
    // It takes connections and says nothing, so that the connecting is still under way.
    const redis = createServer(() => {}).listen(0, "127.0.0.1");
    await once(redis, "listening");
    onTestFinished(() => void redis.close());
    const { printed, ended } = launch("node", {
      REDIS_URL: `redis://127.0.0.1:${(redis.address() as AddressInfo).port}`,
      MYSQL_URL: "mysql://u:p@127.0.0.1:1/jobs?ssl-ca=/nope",
    });
    expect(await within(10_000, "its end", ended)).toEqual([1, null]);
    expect(printed.stderr).toMatch(/^error: MYSQL_URL: ssl-ca cannot be read: ENOENT.*\n$/);
  });

  test.each(["dev", "node", "migrate"])("%s in a folder that cannot be made", async (command) => {
    const { printed, ended } = launch(command, { DATA_DIR: "/proc/none/data" });
    expect(await within(10_000, "its end", ended)).toEqual([1, null]);
    expect(printed.stderr).toMatch(/^error: DATA_DIR \/proc\/none\/data cannot be used: ENOENT.*\n$/);
  });

  test("handlers that never load, which SIGTERM ends as well", async () => {
    await writeFile(join(folder.path, "endless.mjs"), "while (true) {}");
    const { started, printed, ended } = launch("dev", { HANDLERS: join(folder.path, "endless.mjs") });
    await until("it says what it waits for", () => printed.stderr.includes("endless.mjs"), 10_000);
    expect(printed.stderr.match(/\n/g)).toHaveLength(1);
    started.kill("SIGTERM");
    const [code] = await within(5_000, "its end", ended);
    expect(code).not.toBe(0);
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

test("dev shows its banner before its log, and the token's header without the token", async () => {
  const token = "0123456789abcdefTOKEN";
  const file = await open(join(folder.path, "output"), "a");
  // One file takes both, so that what was printed first stands first.
  const started = spawn(process.execPath, [MAIN, "dev"], {
    env: settings({ API_TOKENS: token }),
    stdio: ["ignore", file.fd, file.fd],
  });
  folder.child = started;
  await file.close();
  const ended = once(started, "exit");
  const printed = () => readFile(join(folder.path, "output"), "utf8");
  await until("its log follows", async () => (await printed()).includes("node is up"), 30_000);
  expect(await printed()).toMatch(
    /^\nElastic Job is at \S+ \(Ctrl-C stops it\)\. Try with one of API_TOKENS in ELASTIC_JOB_TOKEN:\n\n {2}curl -X POST \S+\/AddJob -H "Authorization: Bearer \$ELASTIC_JOB_TOKEN" -d '/,
  );
  expect(await printed()).not.toContain(token);
  started.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
