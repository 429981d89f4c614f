/** The client in a page that Vite has built, in Chromium, which calls an edge of another origin. */
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { installPackages, mayInstall } from "../../scripts/install-packages.ts";
import { findBrowser, openPage } from "../e2e/browser.ts";
import { freePort } from "../servers/free-port.ts";
import { bundle } from "./bundle.ts";
import { CURRENT } from "./nodes.ts";
import { startDev } from "./start-dev.ts";

const PAGE = `
  import { Code, createClient } from "@elastic-job/client";
  const client = createClient({ baseUrl: new URLSearchParams(location.search).get("edge") });
  async function use() {
    const { jobId } = await client.addJob({ handler: "echo", payload: { hello: "browser", digits: 3889108265204450031n } });
    let output;
    for await (const { lastResult } of client.watchJob(jobId)) output = lastResult?.outputJson;
    const refusal = await client.getJobStatus("999999").catch(({ code }) => Code[code]);
    return { output, refusal };
  }
  const outcome = await use().catch((error) => String(error));
  await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });`;

test("a page that Vite has built adds a job and watches it end, from another origin", async () => {
  if (findBrowser() === null && mayInstall()) installPackages([["chromium"]]);
  const browser = findBrowser();
  if (browser === null) throw new Error("there is no Chromium; on Debian: apt-get install chromium");
  const { folder } = inject("whole");
  const port = await freePort();
  const start = join(folder, "node_modules/elastic-job/dist/cli/start.mjs");
  const settings = { ALLOWED_ORIGINS: `http://127.0.0.1:${port}` };
  const dev = await startDev([CURRENT.path, start, "dev"], folder, settings);
  onTestFinished(dev.stop);
  const script = await bundle(inject("client").folder, "page.ts", PAGE);
  expect(await openPage({ browser, port, script, query: { edge: dev.url } })).toEqual({
    output: '{"hello":"browser","digits":3889108265204450031}',
    refusal: "NotFound",
  });
});
