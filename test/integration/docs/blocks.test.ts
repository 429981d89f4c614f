/** Every block of code on every page does what a reader expects: it is run, by this file or by one that is named. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { createClient } from "../../../src/client/lazy-client.ts";
import { describeSettings } from "../../../src/config.ts";
import tsconfig from "../../../tsconfig.json" with { type: "json" };
import { until } from "../../fixtures/until.ts";
import { PageCluster, settingsOfStart } from "./page-cluster.ts";
import { type Block, blocksOf, fileNameOf, pages, ROOT } from "./page-code.ts";
import { RUN_ELSEWHERE } from "./run-elsewhere.ts";
import { type UsersFolder, usersFolder } from "./users-folder.ts";

const run = promisify(execFile);
const LIMIT_MS = 30_000;

interface Compose {
  readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string>> }>>;
}

const BLOCKS = pages().flatMap(blocksOf);
const isElsewhere = ({ page, heading, language }: Block) =>
  RUN_ELSEWHERE.some(
    (place) => place.page === page && place.heading === heading && place.languages.includes(language),
  );

let user: UsersFolder;
beforeAll(async () => {
  user = await usersFolder();
});
afterAll(() => user.remove());

// A page starts several processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

describe("the list of what others run", () => {
  test("names blocks that are there", () => {
    const unused = RUN_ELSEWHERE.flatMap(({ page, heading, languages }) =>
      languages
        .filter((language) =>
          BLOCKS.every((b) => !(b.page === page && b.heading === heading && b.language === language)),
        )
        .map((language) => `${page}, ${heading}: ${language}`),
    );
    expect(unused).toEqual([]);
  });

  test("names tests that are there, and read the page", () => {
    const wrong = RUN_ELSEWHERE.flatMap((place) => {
      if (!("test" in place)) return [];
      const path = join(ROOT, place.test);
      const isRead = existsSync(path) && readFileSync(path, "utf8").includes(basename(place.page));
      return isRead ? [] : [`${place.test} does not read ${place.page}`];
    });
    expect(wrong).toEqual([]);
  });

  test("leaves no block in a language that nobody runs", () => {
    const left = BLOCKS.filter(
      (block) => !["ts", "sh", "json", "yaml"].includes(block.language) && !isElsewhere(block),
    );
    expect(left.map(({ page, line, language }) => `${page}:${line} (${language})`)).toEqual([]);
  });
});

/** The folder of a page, with its TypeScript in files. */
async function writePage(page: string): Promise<string> {
  const folder = join(user.path, page.replaceAll(/\W/g, "-"));
  await mkdir(folder);
  // A page that speaks of a clone's files is read in one.
  for (const name of ["examples"]) await symlink(join(ROOT, name), join(folder, name));
  for (const block of blocksOf(page).filter(({ language }) => language === "ts")) {
    await writeFile(join(folder, fileNameOf(block)), block.text);
  }
  return folder;
}

/** Those of clients.md import what is generated beside them. */
const isGenerated = ({ text }: Block) => text.includes("./gen/");

describe("the pages", () => {
  const folders = new Map<string, string>();
  beforeAll(async () => {
    for (const page of pages()) folders.set(page, await writePage(page));
  });

  test("have TypeScript that is of the right types", async () => {
    const files = BLOCKS.filter((block) => block.language === "ts" && !isGenerated(block)).map((block) =>
      join(folders.get(block.page) ?? "", fileNameOf(block)),
    );
    expect(files.length).toBeGreaterThan(10);
    const settings = {
      ...tsconfig,
      compilerOptions: { ...tsconfig.compilerOptions },
      include: undefined,
      files,
    };
    await writeFile(join(user.path, "tsconfig.json"), JSON.stringify(settings));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const { stdout } = await run(tsc, ["-p", "."], { cwd: user.path }).catch((error) => error);
    expect(stdout).toBe("");
  });

  const json = BLOCKS.filter(({ language }) => language === "json");
  test.each(json)("$page:$line is JSON", ({ text }) => {
    const lines = text.trim().split("\n");
    const values = lines.every((line) => line.startsWith("{") && line.endsWith("}")) ? lines : [text];
    for (const value of values) JSON.parse(value);
  });

  test("have YAML that is YAML, and overrides of compose.yaml that fit it", () => {
    const compose = parse(readFileSync(join(ROOT, "compose.yaml"), "utf8")) as Compose;
    const settings = new Set(describeSettings().map(({ name }) => name));
    const isKnown = (setting: string) => settings.has(setting.replace(/_FILE$/, "")) || settings.has(setting);
    const unknown = BLOCKS.filter(({ language }) => language === "yaml").flatMap(({ page, line, text }) => {
      const { services = {} } = parse(text) as Partial<Compose>;
      return Object.entries(services).flatMap(([service, { environment = {} }]) =>
        [
          ...(service in compose.services ? [] : [service]),
          ...Object.keys(environment).filter((setting) => !isKnown(setting)),
        ].map((name) => `${page}:${line}: ${name}`),
      );
    });
    expect(unknown).toEqual([]);
  });

  const isRun = (block: Block) => ["ts", "sh"].includes(block.language) && !isElsewhere(block);
  const withCode = pages().filter((page) => blocksOf(page).some(isRun));
  test.each(withCode)("%s does what it shows", async (page) => {
    const folder = folders.get(page) ?? "";
    const cluster = new PageCluster(folder);
    onTestFinished(() => cluster.stop());
    for (const block of blocksOf(page).filter(isRun)) {
      try {
        await (block.language === "ts"
          ? runTypeScript(block, folder, cluster)
          : runShell(block, folder, cluster));
      } catch (error) {
        throw new Error(`${page}:${block.line}: ${String(error)}`, { cause: error });
      }
    }
  });
});

async function runTypeScript(block: Block, folder: string, cluster: PageCluster): Promise<void> {
  const path = join(folder, fileNameOf(block));
  if (/^export default defineJobs\(/m.test(block.text)) return offersHandlers(path, cluster);
  const options = { cwd: folder, env: user.env, timeout: LIMIT_MS };
  if (block.text.includes('from "vitest"')) {
    await run(join(ROOT, "node_modules/.bin/vitest"), ["run", path], options);
  } else if (block.text.includes('from "node:test"')) {
    await run(process.execPath, ["--test", path], options);
  } else if (block.text.includes('process.once("SIGTERM"')) {
    await startsAndStops(path, folder);
  } else {
    await writeFile(path, await cluster.asServed(block.text));
    const { stdout } = await run(process.execPath, [path], options);
    expect(steady(stdout)).toBe(steady(block.output === "" ? stdout : block.output));
  }
}

/** The module is one that nodes take, and what follows on the page is run with it. */
async function offersHandlers(path: string, cluster: PageCluster): Promise<void> {
  await cluster.restartWith({ HANDLERS: path });
  const { edgeUrl } = await cluster.serving();
  const client = createClient({ baseUrl: edgeUrl });
  const names = async () => (await client.getCluster()).nodes?.[0]?.handlers ?? [];
  const { default: jobs } = (await import(path)) as { default: Record<string, unknown> };
  const own = Object.keys(jobs).filter((name) => name !== "runJob");
  await until("its handlers are offered", async () => {
    const offered = await names();
    return own.every((name) => offered.includes(name));
  });
}

/** Says when the process can be told to stop: before, a signal would end it as it stands. */
const TELL = `data:text/javascript,process.on("newListener", (name) => name === "SIGTERM" && console.log("may be stopped"))`;

/** A service of the reader's: it comes up, and ends in order when it is told to. */
async function startsAndStops(path: string, folder: string): Promise<void> {
  const env = { ...user.env, PORT: "0", HOST: "127.0.0.1", DATA_DIR: join(folder, "data") };
  const child = spawn(process.execPath, ["--import", TELL, path], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      printed += part.toString();
    });
  }
  const ended = once(child, "exit");
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  try {
    await until("it is up", () => isOver() || printed.includes("may be stopped"), LIMIT_MS);
    expect(printed).toContain("node is up");
    child.kill("SIGTERM");
    await until("it has stopped", isOver, LIMIT_MS);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
  expect({ printed, code: child.exitCode }).toEqual({ printed, code: 0 });
}

async function runShell(block: Block, folder: string, cluster: PageCluster): Promise<void> {
  const [first = "", ...others] = block.text.trim().split("\n");
  const settings = others.length === 0 ? settingsOfStart(first) : null;
  if (settings !== null) return cluster.restartWith(settings);
  const { edgeUrl } = await cluster.serving();
  const env = { ...user.env, ELASTIC_JOB_URL: edgeUrl };
  const options = { cwd: folder, env, timeout: LIMIT_MS };
  const done = run("sh", ["-e", "-c", await cluster.asServed(block.text)], options);
  if (block.output.startsWith("error: ")) {
    await expect(done).rejects.toMatchObject({ stderr: block.output });
    return;
  }
  const { stdout } = await done;
  expect(stdout.trim()).not.toBe("");
  // curl takes a refusal for an answer as good as any.
  if (!block.output.includes('{"code":')) expect(stdout).not.toContain('{"code":');
  // What the page shows for it is compared where it is the same each time.
  if (/^(TIME|PUT_)/.test(block.output)) expect(steady(stdout)).toBe(steady(block.output));
}

/** What is the same each time: without blanks at the ends of lines, versions, and states that are over in a moment. */
function steady(printed: string): string {
  return printed
    .replaceAll(/ +$/gm, "")
    .replaceAll(/^time zone data \w+$/gm, "time zone data")
    .replaceAll(/^JOB_STATUS_(PREPARED|RUNNING)\b.*\n/gm, "")
    .trim();
}
