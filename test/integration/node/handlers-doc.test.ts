import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
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
async function load(index: number): Promise<PoolRig> {
  const source = [...(await readFile(PAGE, "utf8")).matchAll(/```ts\n([\s\S]*?)```/g)][index]?.[1];
  if (source === undefined) throw new Error(`docs/handlers.md has no example ${index}`);
  const path = join(folder, `example-${index}.mts`);
  await writeFile(path, source.replace('"elastic-job"', JSON.stringify(INDEX)));
  rig = await startRig({ handlersUrl: pathToFileURL(path).href, limits: { startMs: 15_000 } });
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

test("the schedules of the page are accepted, for handlers that are there", async () => {
  const { pool } = await load(2);
  const settings = { generation: null, missing: "delete", limits: { maxPayloadBytes: 1_000 } } as const;
  const request = readSchedules("handlers.ts", pool, settings);
  expect(request?.set).toBe("billing");
  expect(request?.jobs.map(({ name }) => name)).toEqual(["nightly", "morning", "often"]);
});
