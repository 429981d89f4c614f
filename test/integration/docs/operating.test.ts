/** The commands of docs/operating.md that need more than a node: certificates, and a database that is copied. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import { pageBlocks } from "../../fixtures/page-blocks.ts";
import { startServing } from "../../fixtures/serving-process.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";
import { freshDatabase, freshPrefix, mysqlUrl, redisUrl } from "../../servers/shared.ts";
import { type UsersFolder, usersFolder } from "./users-folder.ts";

const run = promisify(execFile);

let user: UsersFolder;
beforeAll(async () => {
  user = await usersFolder();
});
afterAll(() => user.remove());

/** A line that starts what goes on, until the test is over. */
async function start(line: string, settings: Record<string, string>): Promise<void> {
  const child = spawn("bash", ["-c", line], {
    cwd: user.path,
    env: { ...user.env, HOST: "127.0.0.1", DATA_DIR: join(user.path, "data"), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = once(child, "exit");
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      printed += part.toString();
    });
  }
  onTestFinished(async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await ended;
  });
  await until(`${line} is up`, () => printed.includes(" is at ") || child.exitCode !== null, 30_000);
  expect({ printed, code: child.exitCode }).toEqual({ printed, code: null });
}

test("the commands of the page make certificates that node, edge and commands take", async () => {
  const [block = ""] = pageBlocks("operating.md", "sh", "TLS of nodes and edge");
  const [port, edgePort] = [await freePort(), await freePort()];
  const lines = block.trim().replaceAll("10.0.0.5:7070", `127.0.0.1:${port}`).split("\n");
  const made = lines.filter((line) => line.startsWith("openssl"));
  const [node = "", edge = "", list = "", ...others] = lines.filter((line) => !made.includes(line));
  expect([made.length, others]).toEqual([3, []]);
  await run("bash", ["-e", "-c", made.join("\n")], { cwd: user.path });
  await start(node, { PORT: String(port) });
  await start(edge, { EDGE_PORT: String(edgePort) });
  await createClient({ baseUrl: `http://127.0.0.1:${edgePort}` }).addJob({ handler: "echo" });
  const { stdout } = await run("bash", ["-c", list], { cwd: user.path, env: user.env });
  expect(stdout).toMatch(/echo +immediate|echo +SUCCEEDED/);
});

test("a copy that is made and loaded as the page says has the jobs, and ids go on above theirs", async () => {
  const database = await freshDatabase();
  onTestFinished(() => database.drop());
  const settings = { MYSQL_URL: database.url, REDIS_URL: redisUrl(), CLUSTER_PREFIX: freshPrefix() };
  const [block = ""] = pageBlocks("operating.md", "sh", "Backup and restore");
  const name = new URL(database.url).pathname.slice(1);
  const [copy = "", ...restore] = block
    .trim()
    .replaceAll(/\bjobs\b/g, name)
    .split("\n");
  const { hostname, port, username, password } = new URL(mysqlUrl());
  const account = `[client]\nhost=${hostname}\nport=${port || 3306}\nuser=${decodeURIComponent(username)}\n`;
  const secret = password === "" ? "" : `password=${decodeURIComponent(password)}\n`;
  await writeFile(join(user.path, ".my.cnf"), `${account}protocol=tcp\n${secret}`);
  const shell = (text: string) =>
    run("sh", ["-e", "-c", text], { cwd: user.path, env: { ...user.env, HOME: user.path } });

  const before = await startServing(settings);
  const client = createClient({ baseUrl: before.nodeUrl });
  await client.addJob({ handler: "echo", payload: "done" });
  const { jobId } = await client.addJob({ handler: "echo", payload: "to come", timed: { delay: "1h" } });
  await shell(copy);
  await before.stop();
  await shell(`mysql -e 'DROP DATABASE ${name}'`);
  await shell(restore.join("\n"));

  const after = await startServing(settings);
  onTestFinished(() => after.stop());
  const again = createClient({ baseUrl: after.nodeUrl });
  expect((await again.getJobStatus(jobId)).job).toMatchObject({ payload: "to come" });
  expect(Number((await again.addJob({ handler: "echo" })).jobId)).toBeGreaterThan(Number(jobId));
});
