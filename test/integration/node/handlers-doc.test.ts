import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ThreadPoolOptions } from "../../../src/node/thread-pool.ts";
import { readSchedules } from "../../../src/schedules/read-schedules.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const PAGE = new URL("../../../docs/handlers.md", import.meta.url);
const INDEX = new URL("../../../src/index.ts", import.meta.url).href;

let folder: string;
let rig: PoolRig;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "handlers-doc-"));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => rig.stop());

/** The page's example of this number, counted from 0. */
async function load(index: number, options: Partial<ThreadPoolOptions> = {}): Promise<PoolRig> {
  const source = [...(await readFile(PAGE, "utf8")).matchAll(/```ts\n([\s\S]*?)```/g)][index]?.[1];
  if (source === undefined) throw new Error(`docs/handlers.md has no example ${index}`);
  const path = join(folder, `example-${index}.mts`);
  await writeFile(path, source.replace('"elastic-job"', JSON.stringify(INDEX)));
  rig = await startRig({ handlersUrl: pathToFileURL(path).href, limits: { startMs: 15_000 }, ...options });
  return rig;
}

test("the example of the page on handlers does what the page says", async () => {
  const { run } = await load(0);
  const output = (value: unknown) => ({ kind: "succeeded", output: JSON.stringify(value) });
  expect(await run("greet", { payload: '{"name":"you"}' }).end).toEqual(output({ hello: "you", attempt: 1 }));
  expect(await run("send", { jobId: 5 }).end).toEqual(output({ sent: true }));
  expect(await run("send", { jobId: 5, attempt: 2, claim: 2 }).end).toEqual(output({ sent: false }));
  expect(await run("send", { jobId: 5, scheduledAt: 1 }).end).toEqual(output({ sent: true }));
  expect(await run("countdown", { payload: '{"from":1}' }).end).toEqual(output("lift-off"));
  expect(await run("countdown", { payload: '{"from":100}', timeoutMs: 20 }).end).toEqual({
    kind: "timed_out",
  });
  expect(await run("charge").end).toMatchObject({ isPermanent: true });
  const payload = '{"amount":5}';
  expect(await run("charge", { payload }).end).toMatchObject({ isPermanent: false, retryAfterMs: 60_000 });
  expect(await run("charge", { payload, attempt: 2 }).end).toEqual(output({ charged: 5 }));
  expect(await run("else").end).toEqual(output({ ran: "else", scheduledAt: new Date(0), payload: null }));
});

test("what a thread shares is there for its handlers, as the page says", async () => {
  const { run } = await load(3);
  const counted = (value: number) => ({ kind: "succeeded", output: JSON.stringify({ counted: value }) });
  expect([await run("count").end, await run("count").end]).toEqual([counted(41), counted(42)]);
});

test("the handler of the page that says what it does, says what the page shows", async () => {
  const { run } = await load(1);
  const job = run("import", { payload: '{"file":"prices.csv","rows":[{"price":2},{"price":-1}]}' });
  expect(await job.end).toMatchObject({ kind: "succeeded" });
  const said = job.lines.map(({ level, kind, text, fields }) => `${level} ${kind} ${text} ${fields}`);
  expect(said).toEqual([
    'info said begun {"file":"prices.csv"}',
    'warn said a price below 0 {"row":{"price":-1}}',
    "info printed what it prints is told apart as well null",
  ]);
});

test("the job of the page that adds others, adds those", async () => {
  const asked: unknown[] = [];
  const addJob = async (request: string) => `${asked.push(JSON.parse(request))}`;
  const { run } = await load(2, { addJob });
  const job = run("split", { jobId: 7, payload: '{"files":["a","b"]}' });
  expect(await job.end).toEqual({ kind: "succeeded", output: '["1","2"]' });
  expect(job.progress[0]).toMatchObject({ fraction: 0.5, text: "a" });
  expect(asked).toMatchObject([
    { handler: "convert", payload: { file: "a" }, timeout: "10m", parentId: "7", idempotencyKey: "7-0/1" },
    { handler: "convert", payload: { file: "b" }, idempotencyKey: "7-0/2" },
    { handler: "clean-up", timed: { delay: "1d" }, idempotencyKey: "7-0/3" },
  ]);
});

test("the schedules of the page are accepted, for handlers that are there", async () => {
  const { pool } = await load(7);
  const settings = { generation: null, missing: "delete", limits: { maxPayloadBytes: 1_000 } } as const;
  const request = readSchedules("HANDLERS: handlers.ts", pool, settings);
  expect(request?.set).toBe("billing");
  expect(request?.jobs.map(({ name }) => name)).toEqual(["nightly", "morning", "often"]);
});
