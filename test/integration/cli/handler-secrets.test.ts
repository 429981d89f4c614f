/** What handlers of a real process find of its secrets: where they are looked for first, in the environment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import type { JsonValue } from "../../../src/jobs/define-jobs.ts";
import { processFolder } from "../../fixtures/process-folder.ts";
import { until } from "../../fixtures/until.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
const TOKEN = "0123456789-token-0123456789";
const SECRETS = {
  API_TOKENS: TOKEN,
  CLUSTER_SECRET: "secret-of-the-cluster-0123",
  MYSQL_ROOT_PASSWORD: "secret-of-mysql",
  ELASTIC_JOB_TOKEN: TOKEN,
};
const LOOKING = `
  import { execFileSync } from "node:child_process";
  import { Worker } from "node:worker_threads";
  import { once } from "node:events";
  const source = 'const { parentPort } = require("node:worker_threads"); parentPort.postMessage({ ...process.env });';
  export default {
    own: () => ({ ...process.env }),
    child: () => execFileSync("env", { encoding: "utf8" }),
    measure: ({ payload }) => payload.key.length,
    show: ({ payload }) => payload.key,
    print: ({ payload }) => { console.log("key:", payload.key); console.error({ wrong: payload }); },
    worker: async () => (await once(new Worker(source, { eval: true }), "message"))[0],
  };`;

const folder = processFolder("handler-secrets", LOOKING);

vi.setConfig({ testTimeout: 60_000 });

/** Starts a node, and gives what was printed, once it is up or has ended. */
async function serve(more: Record<string, string>) {
  const started = spawn(process.execPath, [MAIN, "node"], {
    env: {
      PATH: process.env["PATH"],
      DATA_DIR: folder.path,
      HANDLERS: folder.handlersPath,
      HOST: "127.0.0.1",
      PORT: "0",
      SLOTS: "4",
      MINE: "to be seen",
      ...SECRETS,
      ...more,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  folder.child = started;
  let printed = "";
  for (const stream of [started.stdout, started.stderr]) {
    stream.on("data", (part: Buffer) => {
      printed += part.toString();
    });
  }
  const closed = once(started, "close");
  await Promise.race([closed, until("it is up", () => / is at \S+/.test(printed), 30_000)]);
  const [, where = ""] = / is at ([0-9.:]+)/.exec(printed) ?? [];
  // A node that has not started is at none; nobody calls it.
  const client = createClient({ baseUrl: `http://${where === "" ? "127.0.0.1:9" : where}`, token: TOKEN });
  const run = async (handler: string, payload: JsonValue = null) => {
    const { jobId } = await client.addJob({ handler, payload });
    const isDone = async () => (await client.getJobStatus(jobId)).job.status === "JOB_STATUS_SUCCEEDED";
    await until(`${handler} has succeeded`, isDone, 30_000);
    const { results } = await client.getAllResult({ jobId });
    return JSON.stringify(results);
  };
  return { run, client, printed: () => printed };
}

test("no handler has a secret in its environment, nor what it starts", async () => {
  const { run } = await serve({});
  for (const handler of ["own", "child", "worker"]) {
    const found = await run(handler);
    expect(found).toContain("to be seen");
    for (const [name, value] of Object.entries(SECRETS)) {
      expect(found).not.toContain(name);
      expect(found).not.toContain(value);
    }
  }
});

test("a node with the handler shell does not start without saying whom programs run as", async () => {
  const { printed } = await serve({ SHELL_HANDLER: "on" });
  expect(printed()).toContain("SHELL_HANDLER: is on, and nothing says whom programs run as");
});

test("a node that may not run programs as SHELL_USER does not start", async () => {
  const { printed } = await serve({ SHELL_HANDLER: "on", SHELL_USER: "no-such-user" });
  expect(printed()).toContain("SHELL_USER: there is no user no-such-user");
});

test("programs as the node's own user read its secrets, and the node says so at its start", async () => {
  const { run, printed } = await serve({ SHELL_HANDLER: "on", SHELL_SAME_USER: "on" });
  expect(printed()).toContain("can read its secrets");
  // In a form that nobody looks for.
  const looking = { command: `tr a-z A-Z < "/proc/$PPID/environ"`, shell: true };
  expect(await run("shell", looking)).toContain(SECRETS.CLUSTER_SECRET.toUpperCase());
});

test("what is shown of a job has no secret of the node's, whatever its program has read", async () => {
  const { run, printed } = await serve({ SHELL_HANDLER: "on", SHELL_SAME_USER: "on" });
  const found = await run("shell", { command: 'cat "/proc/$PPID/environ"', shell: true });
  expect(found).toContain("CLUSTER_SECRET=[secret CLUSTER_SECRET]");
  expect(found).toContain("API_TOKENS=[secret API_TOKENS]");
  // Nor has the database, where `run` would have found it.
  for (const shown of [found, printed()]) {
    for (const value of [SECRETS.CLUSTER_SECRET, SECRETS.API_TOKENS]) expect(shown).not.toContain(value);
  }
});

test("a secret that a payload names is there for the handler, and nowhere else", async () => {
  const secrets = join(folder.path, "secrets");
  await mkdir(secrets);
  await writeFile(join(secrets, "stripe"), "sk_live_0123456789\n");
  const { run, client, printed } = await serve({ SECRETS_DIR: secrets, LOG_LEVEL: "debug" });
  const payload = { key: { $secret: "stripe" } };
  expect(await run("measure", payload)).toContain('"output":18');
  expect(await run("show", payload)).toContain('"output":"[secret stripe]"');
  await run("print", payload);
  await until("it is printed", () => printed().includes("wrong: { key: '[secret stripe]'"), 10_000);
  expect(printed()).toContain("key: [secret stripe]");
  const { jobs } = await client.getAllJobs({});
  expect(jobs.map((job) => job.payload)).toEqual([payload, payload, payload]);
  const shownJob = jobs.find(({ handler }) => handler === "show");
  for await (const state of client.watchJob(shownJob?.jobId ?? "")) {
    expect(state).toMatchObject({ job: { payload }, lastResult: { output: "[secret stripe]" } });
    break;
  }
  const database = await readFile(join(folder.path, "elastic-job.db"));
  const log = await readFile(join(folder.path, "elastic-job.db-wal")).catch(() => Buffer.alloc(0));
  for (const shown of [printed(), database.toString("latin1"), log.toString("latin1")])
    expect(shown).not.toContain("sk_live_");
});

test("a secret of many lines is not printed, however it is shown", async () => {
  const secrets = join(folder.path, "secrets");
  await mkdir(secrets);
  const lines = ["abcdefgh", "ijklmnop", "qrstuvwx"].map((part) => part.repeat(8));
  await writeFile(join(secrets, "pem"), `-----BEGIN KEY-----\n${lines.join("\n")}\n-----END KEY-----\n`);
  const { run, printed } = await serve({ SECRETS_DIR: secrets });
  await run("print", { key: { $secret: "pem" } });
  await until("both are printed", () => /key: \[secret pem\][^]*-----END KEY-----/.test(printed()), 10_000);
  for (const part of ["abcdefgh", "ijklmnop", "qrstuvwx"]) expect(printed()).not.toContain(part);
});

test("more files in SECRETS_DIR than are searched for are told in the log, and no node starts with them", async () => {
  const secrets = join(folder.path, "secrets");
  await mkdir(secrets);
  const { printed } = await serve({ SECRETS_DIR: secrets });
  const files = Array.from({ length: 1_001 }, (_, number) =>
    writeFile(join(secrets, `s${number}`), "of many"),
  );
  await Promise.all(files);
  await until("it is told", () => printed().includes("SECRETS_DIR has more files than"), 10_000);
  folder.child?.kill("SIGKILL");
  const second = await serve({ SECRETS_DIR: secrets });
  expect(second.printed()).toMatch(/SECRETS_DIR: .* has 1001 files; at most 1000 are accepted/);
});

test("a node whose SECRETS_DIR is no folder does not start", async () => {
  const { printed } = await serve({ SECRETS_DIR: join(folder.path, "none") });
  expect(printed()).toMatch(/SECRETS_DIR: .*none is no folder that can be read \(ENOENT\)/);
});

test.runIf(process.getuid?.() === 0)(
  "programs of a user of their own read none of the node's secrets",
  async () => {
    const { run } = await serve({ SHELL_HANDLER: "on", SHELL_USER: "54321:54321" });
    const looking = `cat "/proc/$PPID/environ" ${folder.path}/*; cat /proc/*/environ; env; true`;
    const found = await run("shell", { command: looking, shell: true });
    expect(found).toContain("Permission denied");
    for (const value of Object.values(SECRETS)) expect(found).not.toContain(value);
  },
);
