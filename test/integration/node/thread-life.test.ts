/** What a module does when a thread starts and ends, in real threads. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { recordingLogger } from "../../fixtures/recording-logger.ts";
import { until } from "../../fixtures/until.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const INDEX = new URL("../../../src/index.ts", import.meta.url).href;

let folder: string;
let rig: PoolRig | null;
let logger: ReturnType<typeof recordingLogger>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thread-life-"));
  rig = null;
  logger = recordingLogger();
});
afterEach(async () => {
  await rig?.stop();
  await rm(folder, { recursive: true });
});

/** `life`: what stands in the braces of the options. What `note` is given stands in the file `notes`, a line each. */
async function start(
  life: string,
  { threads = 1, startMs = 15_000, teardownMs = 5_000 } = {},
): Promise<PoolRig> {
  const path = join(folder, "handlers.mts");
  await writeFile(
    path,
    `import { appendFileSync } from "node:fs";
     import { threadId } from "node:worker_threads";
     import { defineJobs } from ${JSON.stringify(INDEX)};
     const note = (what: string) => appendFileSync(${JSON.stringify(join(folder, "notes"))}, what + "\\n");
     export default defineJobs({
       shows: (_job, ctx) => ({ resources: ctx.resources ?? null }),
       blocks: () => { for (;;); },
       exits: () => process.exit(3),
     }, { ${life} });`,
  );
  rig = await startRig({
    handlersUrl: pathToFileURL(path).href,
    threads,
    logger,
    limits: { startMs, teardownMs },
  });
  return rig;
}

const notes = async () =>
  (await readFile(join(folder, "notes"), "utf8").catch(() => "")).split("\n").filter(Boolean);

test("what setup resolves to is each handler's, and is put away when the node stops", async () => {
  const { run, stop } = await start(`
    setup: async () => { note("up"); return { pool: 7 }; },
    teardown: async ({ pool }) => { await new Promise((done) => setTimeout(done, 20)); note("down of " + pool); },`);
  const shown = { kind: "succeeded", output: '{"resources":{"pool":7}}' };
  expect(await Promise.all([run("shows").end, run("shows").end])).toEqual([shown, shown]);
  expect(await notes()).toEqual(["up"]);
  await stop();
  expect(await notes()).toEqual(["up", "down of 7"]);
});

test("each thread has its own, and a thread that replaces another too", async () => {
  const { run, stop } = await start(
    `setup: () => { note("up"); return threadId; }, teardown: () => note("down"),`,
    {
      threads: 2,
    },
  );
  expect(await notes()).toEqual(["up", "up"]);
  expect(await run("exits").end).toMatchObject({ kind: "failed" });
  expect(await run("shows").end).toMatchObject({ kind: "succeeded" });
  await until("a third setup", async () => (await notes()).length === 3);
  await stop();
  // The one that exited had no time for it.
  expect((await notes()).filter((note) => note === "down")).toHaveLength(2);
});

describe("a setup that", () => {
  test.each([
    [
      "throws",
      "setup: () => { throw new RangeError('no database'); },",
      "Error: its setup failed: RangeError: no database",
    ],
    [
      "rejects",
      "setup: async () => { throw new RangeError('no database'); },",
      "Error: its setup failed: RangeError: no database",
    ],
    ["waits for what never comes", "setup: () => new Promise(() => {}),", "its setup never ends"],
    [
      "goes on and on",
      "setup: () => new Promise(() => setInterval(() => {}, 1000)),",
      "its setup has not ended within 1500 ms",
    ],
  ])("%s keeps the node from starting, and is told in one line", async (_, life, why) => {
    const starting = start(life, { startMs: 1_500 });
    await expect(starting).rejects.toThrow(
      `HANDLERS: could not load ${join(folder, "handlers.mts")}: ${why}`,
    );
  });

  test("fails in a thread that replaces another is tried again until it succeeds", async () => {
    const { run } = await start(`
      setup: async () => {
        const { readFileSync } = await import("node:fs");
        const count = readFileSync(${JSON.stringify(join(folder, "notes"))}, { encoding: "utf8", flag: "a+" }).length / 2;
        note("u");
        if (count === 1 || count === 2) throw new Error("not yet");
        return count;
      },`);
    expect(await run("exits").end).toMatchObject({ kind: "failed" });
    expect(await run("shows").end).toEqual({ kind: "succeeded", output: '{"resources":3}' });
    expect(logger.errors.filter(({ message }) => message.includes("could not start a thread"))).toHaveLength(
      2,
    );
  });
});

describe("a teardown that", () => {
  test.each([
    ["throws", "teardown: () => { throw new RangeError('gone'); },", "RangeError: gone"],
    ["never ends", "teardown: () => new Promise(() => {}),", "it has not ended within 200 ms"],
    ["blocks its thread", "teardown: () => { for (;;); },", "it has not ended within 200 ms"],
  ])("%s is told, and the thread ends all the same", async (_, life, problem) => {
    const { stop } = await start(life, { teardownMs: 200 });
    await stop();
    expect(logger.lines).toContainEqual({
      level: "warn",
      message: "the teardown of a thread for handlers failed; ending it without",
      fields: { problem },
    });
  });

  test("exits ends its thread", async () => {
    const { stop } = await start("teardown: () => process.exit(1),");
    await stop();
  });
});

test("a handler that blocks its thread leaves no time for its teardown", async () => {
  const { run, stop } = await start(`teardown: () => note("down"),`);
  expect(await run("blocks", { timeoutMs: 50 }).end).toMatchObject({ kind: "timed_out" });
  expect(await run("shows").end).toEqual({ kind: "succeeded", output: '{"resources":null}' });
  await stop();
  expect(await notes()).toEqual(["down"]);
});

test("stacks of what was compiled name the sources", async () => {
  const source = {
    version: 3,
    sources: ["written.ts"],
    names: [],
    mappings: "AAKA",
    sourcesContent: ["\n".repeat(9)],
  };
  const map = Buffer.from(JSON.stringify(source)).toString("base64");
  const path = join(folder, "compiled.mjs");
  await writeFile(
    path,
    `export default { throws() { throw new Error("no"); } };\n//# sourceMappingURL=data:application/json;base64,${map}\n`,
  );
  rig = await startRig({ handlersUrl: pathToFileURL(path).href, logger });
  expect(await rig.run("throws").end).toMatchObject({
    kind: "failed",
    error: { message: "no", stack: expect.stringContaining("written.ts:6:") },
  });
});
