/** The whole package, installed from its tarball: its command, handlers beside it, and a node inside another process. */
import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { CURRENT, FIRST, TOO_OLD } from "./nodes.ts";
import { readmeBlocks } from "./readme-blocks.ts";
import { startDev } from "./start-dev.ts";
import { NPM, usersEnvironment } from "./users-environment.ts";

const { folder, tarball } = inject("whole");
const COMMAND = join(folder, "node_modules/.bin/elastic-job");
const run = promisify(execFile);

/** What a handler answers. */
async function outputOf(url: string, handler: string, payload: Record<string, string>): Promise<unknown> {
  const client = createClient({ baseUrl: url });
  const { jobId } = await client.addJob({ handler, payload });
  let output: unknown;
  for await (const { lastResult } of client.watchJob(jobId)) output = lastResult?.output;
  return output;
}

const [HANDLERS = { source: "" }, EMBEDDED = { source: "" }] = readmeBlocks("elastic-job");
const LANGUAGES = [
  {
    name: "TypeScript",
    file: "jobs.mts",
    source: `${HANDLERS.source}\nexport interface Greeting { hello: string }`,
  },
  { name: "JavaScript", file: "jobs.js", source: HANDLERS.source },
];

describe("the command", () => {
  test.each(TOO_OLD)("says in one line that $name is too old", async ({ folder: node }) => {
    const failure = await run(COMMAND, ["dev"], { cwd: folder, env: usersEnvironment({}, node) }).catch(
      (error: { readonly code: number; readonly stderr: string }) => error,
    );
    expect(failure).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^elastic-job needs Node 26 or newer, and this is \d+\.\d+\.\d+\. .+\n$/),
    });
  });

  test.each(
    [FIRST, CURRENT].flatMap((node) =>
      LANGUAGES.map((language) => ({ ...language, node: node.name, on: node })),
    ),
  )("runs handlers in $name that stand beside it, on $node", async ({ file, source, on }) => {
    const place = await mkdtemp(join(folder, "handlers-"));
    await writeFile(join(place, file), source);
    const dev = await startDev([COMMAND, "dev"], place, { HANDLERS: `./${file}` }, on.folder);
    onTestFinished(dev.stop);
    expect(await outputOf(dev.url, "greet", { name: "Ada" })).toEqual({ hello: "Ada", attempt: 1 });
    const { stdout } = await run(COMMAND, ["list", "--url", dev.url], {
      cwd: place,
      env: usersEnvironment({}, on.folder),
    });
    expect(stdout).toMatch(/greet +SUCCEEDED/);
  });

  // Of the machine's own, as npm asks for a later one than the first 20.
  test("starts by npx in an empty folder, on whatever Node the machine has", async () => {
    const place = await mkdtemp(join(inject("empty"), "npx-"));
    const line = ["npx", "--yes", "-p", "node@26", "-p", tarball, "elastic-job", "dev"] as const;
    const dev = await startDev(line, place);
    onTestFinished(dev.stop);
    expect(dev.printed).toContain(`curl -X POST ${dev.url}/JobService/AddJob`);
    expect(await outputOf(dev.url, "echo", { hello: "world" })).toEqual({ hello: "world" });
  });
});

test.each([FIRST, CURRENT])(
  "a node runs inside another process, on $name",
  async ({ path, folder: node }) => {
    const place = await mkdtemp(join(folder, "embedded-"));
    await writeFile(join(place, "jobs.mts"), HANDLERS.source);
    const more = `
    const [one] = (await client.getAllJobs()).jobs;
    if (one === undefined) throw new Error("no job");
    for await (const { lastResult } of client.watchJob(one.jobId)) console.log("output", JSON.stringify(lastResult?.output));
    process.kill(process.pid, "SIGTERM");`;
    await writeFile(join(place, "service.mts"), EMBEDDED.source + more);
    const settings = { PORT: "0", HOST: "127.0.0.1", DATA_DIR: place };
    const { stdout } = await run(path, ["service.mts"], {
      cwd: place,
      env: usersEnvironment(settings, node),
      timeout: 60_000,
    });
    expect(stdout).toContain('output {"hello":"Ada","attempt":1}');
    expect(stdout).toContain("node has stopped");
  },
);

test("npm tells of a Node that is too old when it installs", async () => {
  const place = await mkdtemp(join(inject("empty"), "engines-"));
  const args = ["install", "--engine-strict", "--dry-run", "--prefer-offline", "--no-audit", tarball];
  const failure = run(NPM, args, { cwd: place, env: usersEnvironment({}, TOO_OLD.at(-1)?.folder) });
  await expect(failure).rejects.toThrow(/EBADENGINE|Unsupported engine/);
});
