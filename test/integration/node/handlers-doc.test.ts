import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PoolRig, startRig } from "./pool-rig.ts";

const PAGE = new URL("../../../docs/handlers.md", import.meta.url);
const INDEX = new URL("../../../src/index.ts", import.meta.url).href;

let folder: string;
let rig: PoolRig;
beforeAll(async () => {
  const [, source] = /```ts\n([\s\S]*?)```/.exec(await readFile(PAGE, "utf8")) ?? [];
  if (source === undefined) throw new Error("docs/handlers.md has no example");
  folder = await mkdtemp(join(tmpdir(), "handlers-doc-"));
  const path = join(folder, "handlers.mts");
  await writeFile(path, source.replace('"elastic-job"', JSON.stringify(INDEX)));
  rig = await startRig({ handlersUrl: pathToFileURL(path).href, limits: { startMs: 15_000 } });
});
afterAll(async () => {
  await rig.stop();
  await rm(folder, { recursive: true });
});

test("the example of the page on handlers does what the page says", async () => {
  const { run } = rig;
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
