import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import { startExample } from "../../fixtures/example-process.ts";
import { exampleReadme } from "../../fixtures/example-readme.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";

const run = promisify(execFile);
const README = exampleReadme("examples/hono-service/README.md");

test("the service runs jobs in its own process, has its schedule, and ends in order", async () => {
  const [[start = ""] = [], [ask = ""] = []] = README.commands;
  const [, path = ""] = / npx node (\S+)$/.exec(start) ?? [];
  const folder = await mkdtemp(join(tmpdir(), "elastic-job-hono-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const port = await freePort();
  const example = await startExample(path, { DATA_DIR: folder, PORT: String(port), HOST: "127.0.0.1" });
  const { stdout } = await run("sh", ["-c", ask.replace("http://127.0.0.1:3000", example.url)]);
  expect([stdout]).toEqual(README.output);

  const client = createClient({ baseUrl: `http://127.0.0.1:${port}` });
  const tidy = async () => (await client.getAllJobs({ handler: "tidy" })).jobs;
  await until("its schedule is there", async () => (await tidy()).length === 1);
  expect(await example.stop()).toBe(0);
});
