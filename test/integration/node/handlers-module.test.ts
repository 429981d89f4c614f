import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isError } from "../../../src/core/errors.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const INDEX = new URL("../../../src/index.ts", import.meta.url).href;
const SOUND = `export default { hello: () => "hello" };`;

let folder: string;
let rig: PoolRig | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "handlers-"));
});
afterEach(async () => {
  await rig?.stop();
  rig = null;
});
afterAll(() => rm(folder, { recursive: true }));

async function load(source: string | null, name = "handlers.mts", startMs = 15_000) {
  const path = join(folder, name);
  if (source !== null) await writeFile(path, source);
  rig = await startRig({ handlersUrl: pathToFileURL(path).href, threads: 2, limits: { startMs } });
  return rig;
}

test.each<[string, string | null, RegExp]>([
  ["a syntax error", "export default {\n  hello: (job) =>\n};", /SyntaxError: /],
  ["no default export", "export const hello = () => 1;", /it has no default export; write `export default/],
  ["a function as default export", "export default async () => 1;", /its default export is of type function/],
  ["an array as default export", "export default [];", /its default export is an array/],
  ["null as default export", "export default null;", /its default export is null/],
  ["undefined as default export", "export default undefined;", /its default export is undefined/],
  ["an empty object as default export", "export default {};", /its default export holds no handlers/],
  [
    "defineJobs of nothing",
    `import { defineJobs } from ${JSON.stringify(INDEX)}; export default defineJobs({});`,
    /its default export holds no handlers/,
  ],
  [
    "an instance of a class as default export",
    "class Mine { hello() { return 1; } } export default new Mine();",
    /its default export is an instance of Mine; only an object's own properties are handlers/,
  ],
  [
    "a class as default export",
    "export default class { static hello() { return 1; } }",
    /its default export is of type function/,
  ],
  [
    "a Map as default export",
    `export default new Map([["hello", () => 1]]);`,
    /its default export is a Map; write `export default Object\.fromEntries/,
  ],
  ["a Set as default export", "export default new Set();", /its default export is an instance of Set/],
  [
    "a promise as default export",
    "export default Promise.resolve({ hello: () => 1 });",
    /its default export is a promise; write `export default await …`/,
  ],
  [
    "a handler that is no function",
    "export default { hello: 5 };",
    /hello is of type number; it must be a function/,
  ],
  ["a handler that is null", "export default { hello: null };", /hello is null; it must be a function/],
  [
    "names that no job can be added for",
    'export default { "a b": () => 1, "é": () => 2, "ok/x": () => 3 };',
    /defineJobs: "a b" and "é" are no handlers' names; 1 to 128 characters of A-Z a-z 0-9 _ \$ \. : \/ - are accepted/,
  ],
  [
    "a name that is too long",
    `export default { ["x".repeat(129)]: () => 1 };`,
    /defineJobs: "x{80}…" is no handler's name; 1 to 128 characters of/,
  ],
  ["an import that is not there", `import "./nowhere.ts"; ${SOUND}`, /Cannot find module.*nowhere\.ts/],
  ["an error of its own", `throw new RangeError("my own"); ${SOUND}`, /RangeError: my own/],
  ["what is thrown that is no error", `throw "text"; ${SOUND}`, /it threw text/],
  [
    "a top-level await that never ends",
    `await new Promise(() => {}); ${SOUND}`,
    /a top-level await that never ends/,
  ],
  [
    "a top-level await that never ends, with a timer",
    `setInterval(() => {}, 1000); await new Promise(() => {}); ${SOUND}`,
    /it has not loaded within 6000 ms; does a loop or a top-level await never end\?/,
  ],
  ["a module that blocks", `for (;;); ${SOUND}`, /it has not loaded within 6000 ms/],
  ["process.exit", `process.exit(0); ${SOUND}`, /process\.exit\(0\) was called while the module loaded/],
])("refuses a module with %s, naming the setting and the file", async (_, source, message) => {
  const error = await load(source, "broken.mts", 6000).then(
    () => expect.unreachable("it was accepted"),
    (thrown: unknown) => thrown,
  );
  expect(isError(error, "invalid_argument")).toBe(true);
  const text = error instanceof Error ? error.message : "";
  expect(text).toContain(`HANDLERS: could not load ${join(folder, "broken.mts")}: `);
  expect(text).toMatch(message);
});

test.each<[string, string, RegExp]>([
  ["throws", `throw new RangeError("my own"); ${SOUND}`, /: RangeError: my own$/],
  ["waits for ever", `await new Promise(() => {}); ${SOUND}`, /: it has a top-level await that never ends$/],
])(
  "a module that %s is told of alike each time, and never accused of process.exit",
  async (_, source, message) => {
    for (let start = 0; start < 40; start++) {
      const logged: unknown[] = [];
      const error = (fields: object, text: string) => void logged.push({ ...fields, text });
      const path = join(folder, "forty.mts");
      await writeFile(path, source);
      const handlersUrl = pathToFileURL(path).href;
      await expect(startRig({ handlersUrl, threads: 1, logger: { ...silentLogger, error } })).rejects.toThrow(
        message,
      );
      expect(logged).toEqual([]);
    }
  },
  120_000,
);

test.each([
  ["typed.mts", /: SyntaxError: Expression expected at file:.*typed\.mts:2\n/],
  ["plain.mjs", /: SyntaxError: Unexpected token ',' \(`node --check` shows where\)/],
])("says where in %s a syntax error is, or how to find it", async (name, message) => {
  await expect(load("export default {\n  hello: (job) => ,\n};", name)).rejects.toThrow(message);
});

test("refuses a file that is not there", async () => {
  await expect(load(null, "missing.ts")).rejects.toThrow(
    /HANDLERS: could not load .*missing\.ts: .*Cannot find/,
  );
});

test("offers the user's handlers beside the built-in ones, and runJob for the rest", async () => {
  const { pool, run } = await load(
    `import { defineJobs } from ${JSON.stringify(INDEX)};
     export default defineJobs({ echo: () => "mine", runJob: (job) => "any " + job.handler });`,
  );
  expect(pool.handlers.toSorted()).toEqual(["echo", "fail", "http", "sleep"]);
  expect(pool.hasRunJob).toBe(true);
  expect(await run("echo").end).toEqual({ kind: "succeeded", output: '"mine"' });
  expect(await run("other").end).toEqual({ kind: "succeeded", output: '"any other"' });
  expect(await run("toString").end).toEqual({ kind: "succeeded", output: '"any toString"' });
});

test("jobs wait while no thread can be started, and run when one can again", async () => {
  const crash = `export default { crash: () => process.exit(1), hello: () => "new" };`;
  const { run } = await load(crash, "changing.mts", 6000);
  await writeFile(join(folder, "changing.mts"), "export default {");
  // Both threads end, and neither starts again.
  await Promise.all([run("crash").end, run("crash").end]);
  const givenUp = await run("hello").end;
  expect(givenUp).toEqual({ kind: "lost", isBlameless: true, reason: "the node has no thread for it" });
  const waiting = run("hello", { timeoutMs: 10_000 });
  const aborted = run("hello");
  aborted.abort("enough", 10);
  expect(await aborted.end).toEqual({ kind: "lost", isBlameless: true, reason: "enough" });
  await writeFile(join(folder, "changing.mts"), crash);
  expect(await waiting.end).toEqual({ kind: "succeeded", output: '"new"' });
});

test("what handlers print comes out of the process", async () => {
  const script = `
    import { startThreadPool } from ${JSON.stringify(new URL("../../../src/node/thread-pool.ts", import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL("../../../src/system-clock.ts", import.meta.url).href)};
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const handlersUrl = ${JSON.stringify(new URL("./handlers/trouble.ts", import.meta.url).href)};
    const pool = await startThreadPool({ threads: 1, handlersUrl, env: {}, clock: systemClock, logger });
    const execution = { jobId: 1, claim: 1, attempt: 1, name: "n", handler: "print", payload: null,
      scheduledAt: 0, timeoutMs: null, deadline: null, alone: false };
    pool.run(execution, () => void pool.stop());
  `;
  const path = join(folder, "print.mts");
  await writeFile(path, script);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path], { timeout: 20_000 });
  expect(stdout).toBe("to stdout\n");
  expect(stderr).toBe("to stderr\n");
});
