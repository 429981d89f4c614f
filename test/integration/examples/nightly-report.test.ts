import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import { exampleReadme } from "../../fixtures/example-readme.ts";
import { startServing } from "../../fixtures/serving-process.ts";
import { until } from "../../fixtures/until.ts";

const ROOT = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const README = exampleReadme("examples/nightly-report/README.md");

test("the commands of the README show the night without 02:30, and run the report now", async () => {
  const [[start = ""] = [], commands = []] = README.commands;
  const [, handlers = ""] = /^HANDLERS=(\S+) npm start$/.exec(start) ?? [];
  const serving = await startServing({ HANDLERS: handlers });
  onTestFinished(() => serving.stop());
  const client = createClient({ baseUrl: serving.edgeUrl });
  await until("its schedule is there", async () => (await client.getAllJobs()).jobs.length === 1);

  const [preview = "", trigger = "", results = ""] = commands.map((line) =>
    line.replace("npm run -s elastic-job --", `${process.execPath} src/cli/start.mjs`),
  );
  const env = { PATH: process.env["PATH"], ELASTIC_JOB_URL: serving.edgeUrl };
  const shell = async (line: string) => (await run("sh", ["-c", line], { cwd: ROOT, env })).stdout;
  expect(await shell(preview)).toMatch(/^2026-03-29T01:00:00Z +2026-03-29T03:00:00 +02:30 does not exist/m);
  await shell(trigger);
  await until("the report has been made", async () => (await shell(results)).includes("SUCCEEDED"));
  expect(await shell(results)).toMatch(/"hours":2[345]\b/);
});

test("the test of the example has both changes of the clocks pass", async () => {
  const [line = ""] = README.commands.at(-1) ?? [];
  const [, ...args] = line.replace("npx ", "").split(" ");
  const { stdout } = await run(process.execPath, args, {
    cwd: ROOT,
    timeout: 25_000,
  });
  expect(stdout).toMatch(/^\S+ pass 2$/m);
});
