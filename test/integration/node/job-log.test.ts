/** What handlers say in real threads, until it is with the node. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { DEFAULT_BUILT_IN_SETTINGS } from "../../../src/jobs/built-in.ts";
import { createScrubber } from "../../../src/node/scrubber.ts";
import type { ThreadPoolOptions } from "../../../src/node/thread-pool.ts";
import { type PoolRig, type Run, startRig } from "./pool-rig.ts";

let rig: PoolRig;
async function start(options: Partial<ThreadPoolOptions> = {}): Promise<PoolRig> {
  rig = await startRig({ handlersUrl: new URL("./handlers/says.ts", import.meta.url).href, ...options });
  return rig;
}
afterEach(() => rig.stop());

/** Its lines by the time it has ended. */
async function linesOf(run: Run): Promise<string[]> {
  await run.end;
  return run.lines.map(({ level, kind, text }) => `${level} ${kind} ${text}`);
}

test("all that a handler says is there when it has ended, with the time", async () => {
  const { run } = await start();
  const before = Date.now();
  const job = run("says", { payload: '{"n":1}' });
  expect(await linesOf(job)).toEqual(["info said begun", "error said ended"]);
  expect(await job.end).toEqual({ kind: "succeeded", output: '"output"' });
  expect(job.lines[0]?.fields).toBe('{"payload":{"n":1}}');
  expect(job.lines[0]?.at).toBeGreaterThanOrEqual(before);
  expect(await linesOf(run("throws"))).toEqual(["info said about to throw"]);
});

test("each job has its own lines, of many at a time", async () => {
  const { run } = await start({ threads: 2 });
  const jobs = Array.from({ length: 200 }, (_, n) =>
    run(n % 2 === 0 ? "says" : "silent", { payload: `${n}` }),
  );
  for (const [n, job] of jobs.entries()) {
    await job.end;
    const fields = job.lines.map((line) => line.fields);
    expect(fields).toEqual(n % 2 === 0 ? [`{"payload":${n}}`, null] : []);
  }
});

test("what a handler said before it blocked its thread is there when that is killed", async () => {
  const { run } = await start({ limits: { maxBlockedMs: 1_000 } });
  const job = run("blocks");
  expect((await linesOf(job))[0]).toBe("info said line 1");
  expect(await job.end).toMatchObject({ kind: "lost" });
});

test("what a handler said before it ended its thread is all there", async () => {
  const { run } = await start();
  expect(await linesOf(run("exits"))).toHaveLength(100);
});

test("a flood comes to the node as 1,000 lines and a mark, and its neighbours have theirs", async () => {
  const { run } = await start();
  const flood = run("floods");
  const neighbour = run("says", { payload: "1" });
  expect(await flood.end).toMatchObject({ kind: "succeeded" });
  expect(flood.lines).toHaveLength(1_001);
  expect(flood.lines[1_000]?.kind).toBe("mark");
  expect(await linesOf(neighbour)).toHaveLength(2);
});

test("what handlers print is told apart by job", async () => {
  const { run } = await start();
  const jobs = ["a", "b"].map((payload) => run("prints", { payload: JSON.stringify(payload) }));
  for (const [index, job] of jobs.entries()) {
    expect(await linesOf(job)).toEqual([
      `info printed ${"ab"[index]} prints`,
      expect.stringMatching(/^error printed Error: printed\n\s+at /),
      "info printed half a line",
    ]);
  }
});

test("what it leaves behind says nothing any more", async () => {
  const { run } = await start();
  const job = run("lingers");
  await job.end;
  await run("lingered").end;
  expect(job.lines).toEqual([]);
});

test("of what a handler tells of its progress, the first and the latest go to the node, four a second at most", async () => {
  const { run } = await start();
  const job = run("progresses");
  expect(await job.end).toMatchObject({ kind: "succeeded" });
  expect(job.progress).toMatchObject([
    { fraction: 0.1, text: "first" },
    { fraction: 0.9, text: "" },
    { fraction: 1, text: "x".repeat(200) },
  ]);
});

test.each([["2"], ["-0.1"], ["null"], ['"half"']])(
  "progress %s fails the attempt, and says what is accepted",
  async (payload) => {
    const { run } = await start();
    const job = run("wrong", { payload });
    expect(await job.end).toMatchObject({
      kind: "failed",
      error: { message: expect.stringMatching(/^progress: .* is not accepted; a number from 0 to 1 is$/) },
    });
    expect(job.progress).toEqual([]);
  },
);

test("no secret is in a line", async () => {
  const folder = mkdtempSync(join(tmpdir(), "log-secrets-"));
  writeFileSync(join(folder, "stripe"), "sk_live_0123456789");
  const own = createScrubber([["MYSQL_PASSWORD", "password-of-the-database"]]);
  const { run } = await start({
    builtIn: { ...DEFAULT_BUILT_IN_SETTINGS, secretsFolder: folder },
    scrubber: () => own,
  });
  const payload = JSON.stringify({ key: { $secret: "stripe" }, own: "password-of-the-database" });
  expect(await linesOf(run("leaks", { payload }))).toEqual([
    "info said key [secret stripe] and [secret MYSQL_PASSWORD]",
    "info printed prints [secret stripe] and [secret MYSQL_PASSWORD]",
  ]);
  rmSync(folder, { recursive: true });
});
