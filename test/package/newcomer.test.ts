/**
 * A newcomer's path: README.md from the top, and docs/getting-started.md, in a folder that is empty, outside of this repository,
 * with the packages' tarballs in place of their names. What is printed is what README.md shows.
 */
import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { until } from "../fixtures/until.ts";
import { type Block, blocksOf } from "../integration/docs/page-code.ts";
import { freePort } from "../servers/free-port.ts";
import { CURRENT } from "./nodes.ts";
import { startDev } from "./start-dev.ts";
import { usersEnvironment } from "./users-environment.ts";

const PATIENCE_MS = 180_000;
const run = promisify(execFile);

// It installs Node and the packages, on a machine that may be busy.
vi.setConfig({ testTimeout: 2 * PATIENCE_MS });

function block(page: string, heading: string, language: string, index = 0): Block {
  const found = blocksOf(page).filter((each) => each.heading === heading && each.language === language);
  const at = found[index];
  if (at === undefined) throw new Error(`${page} has no ${language} ${index} below "${heading}"`);
  return at;
}

/** As typed where nothing is published yet. */
const asPacked = (line: string) =>
  line
    .replaceAll("-p elastic-job ", `-p ${inject("whole").tarball} `)
    .replaceAll(/npm install elastic-job\b/g, `npm install --prefer-offline ${inject("whole").tarball}`);

/** The settings and words of a command line. */
function wordsOf(line: string): { settings: Record<string, string>; words: [string, ...string[]] } {
  const all = line
    .replace(/ +#.*$/, "")
    .trim()
    .split(/ +/);
  const settings = all.filter((word) => /^[A-Z_]+=/.test(word));
  const [first = "", ...words] = all.slice(settings.length);
  return {
    settings: Object.fromEntries(settings.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
    words: [first, ...words],
  };
}

/** What is the same each time, and on each machine. */
function steady(printed: string): string {
  return printed
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/"placement":"[^"]*"/g, '"placement":"…"')
    .replaceAll(/\b\d[\d.]*s\b/g, "TOOK")
    .replaceAll(/ +/g, " ")
    .replaceAll(/ $/gm, "")
    .trim();
}

test("README.md, top to bottom, prints what it shows, and takes less than three minutes", async () => {
  const startedAt = performance.now();
  const place = await mkdtemp(join(inject("empty"), "newcomer-"));
  const [port, edgePort] = [await freePort(), await freePort()];
  const ports = {
    PORT: String(port),
    EDGE_PORT: String(edgePort),
    NODE_ID: "vm",
    DATA_DIR: join(place, "data"),
  };
  const here = (text: string) => text.replaceAll("127.0.0.1:8080", `127.0.0.1:${edgePort}`);
  const client = createClient({ baseUrl: `http://127.0.0.1:${edgePort}` });
  const short = "npx --yes -p node@26 -p elastic-job elastic-job";
  const shell = async (text: string) => {
    const env = usersEnvironment({ ELASTIC_JOB_URL: `http://127.0.0.1:${edgePort}` });
    const typed = here(asPacked(text.replaceAll(/^elastic-job/gm, short)));
    return (await run("bash", ["-e", "-c", typed], { cwd: place, env })).stdout;
  };

  const starting = block("README.md", "Try it", "sh");
  const dev = await startDev(
    wordsOf(asPacked(starting.text.replace("npx ", "npx --yes "))).words,
    place,
    ports,
  );
  try {
    // npm may say before it that Node is older than what it brings along.
    expect(dev.printed).toContain(here(starting.output));
    const added = await shell(block("README.md", "Try it", "sh", 1).text);
    // Each answer on a line of its own, as a terminal's prompt has it.
    expect(steady(added.replaceAll("}{", "}\n{"))).toBe(steady(block("README.md", "Try it", "json").text));
    await until("the second job has ended", async () => (await client.getAllResult()).results.length === 2);
    const looking = block("README.md", "Try it", "sh", 2);
    const [status = "", ...commands] = looking.text.trim().split("\n");
    const printed = [await shell(status)];
    for (const command of commands) printed.push(await shell(command));
    expect(printed.map(steady)).toEqual(looking.output.split("\n\n").map(steady));
  } finally {
    await dev.stop();
  }

  const handlers = block("README.md", "Your own jobs", "ts");
  await writeFile(join(place, handlers.file ?? ""), handlers.text);
  const [install = "", again = ""] = block("README.md", "Your own jobs", "sh").text.trim().split("\n");
  const env = usersEnvironment({}, CURRENT.folder);
  await run("bash", ["-e", "-c", asPacked(install)], { cwd: place, env });
  const { settings, words } = wordsOf(again);
  const own = await startDev(words, place, { ...ports, ...settings }, CURRENT.folder);
  onTestFinished(own.stop);
  // What was there before goes on, with ids above.
  expect((await client.getAllJobs()).jobs.map(({ jobId }) => jobId)).toEqual(["3", "2", "1"]);

  const calling = block("README.md", "Calling it", "ts");
  await run("npm", ["install", "--prefer-offline", "--no-audit", inject("client").tarball], {
    cwd: place,
    env,
  });
  await writeFile(join(place, "script.mts"), here(calling.text));
  const { stdout } = await run(CURRENT.path, ["script.mts"], { cwd: place, env });
  expect(stdout).toMatch(/^JOB_STATUS_WAITING\n(JOB_STATUS_(PREPARED|RUNNING)\n)*JOB_STATUS_SUCCEEDED\n$/);
  const [result] = (await client.getAllResult({ pageSize: 1 })).results;
  expect(result?.output).toEqual({ hello: "Ada", attempt: 1 });

  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`README.md took ${seconds.toFixed(1)} s`);
  expect(seconds * 1000).toBeLessThan(PATIENCE_MS);
});

test("docs/getting-started.md leads from an empty folder to a node with its handlers", async () => {
  const place = await mkdtemp(join(inject("empty"), "getting-started-"));
  const installing = block("docs/getting-started.md", "A handler", "sh");
  const env = usersEnvironment({}, CURRENT.folder);
  await run("bash", ["-e", "-c", asPacked(installing.text)], { cwd: place, env });
  const handlers = block("docs/getting-started.md", "A handler", "ts");
  await writeFile(join(place, handlers.file ?? ""), handlers.text);
  const { settings, words } = wordsOf(block("docs/getting-started.md", "A handler", "sh", 1).text);
  const dev = await startDev(words, place, settings, CURRENT.folder);
  onTestFinished(dev.stop);
  const client = createClient({ baseUrl: dev.url });
  const { jobId } = await client.addJob({ handler: "welcome", payload: { name: "Ada" } });
  for await (const { lastResult } of client.watchJob(jobId)) {
    if (lastResult !== undefined) expect(lastResult.output).toEqual({ welcomed: "Ada", attempt: 1 });
  }
  await until("its schedule is there", async () => {
    const { jobs } = await client.getAllJobs({ handler: "digest" });
    return jobs.length === 1;
  });
});
