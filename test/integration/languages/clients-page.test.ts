/** What docs/clients.md shows is what is answered. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pageBlocks } from "../../fixtures/page-blocks.ts";
import { type ServingProcess, startServing } from "../../fixtures/serving-process.ts";

const ROOT = join(import.meta.dirname, "../../..");
const run = promisify(execFile);

let serving: ServingProcess;
beforeAll(async () => {
  serving = await startServing();
});
afterAll(() => serving.stop());

const asServed = (text: string) =>
  text
    .replaceAll("http://127.0.0.1:8080", serving.edgeUrl)
    .replaceAll("http://127.0.0.1:7070", serving.nodeUrl);

/** Times, and what depends on the machine, differ each time. */
const steady = (answer: string) =>
  JSON.stringify(JSON.parse(answer))
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/"timeZoneData":"\w+"/g, "ZONES")
    .replaceAll(/"jobId":"\d+"/g, "JOB");

test.each([
  "With curl",
  "With buf curl, grpcurl, and whatever else asks for the services",
  "Errors",
  "Reading by GET",
])("the answers below %s are those that are given", async (heading) => {
  const calls = pageBlocks("clients.md", "sh", heading);
  const shown = pageBlocks("clients.md", "json", heading);
  const answers: string[] = [];
  const env = { ...process.env, PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"]}` };
  for (const call of calls) answers.push((await run("sh", ["-c", asServed(call)], { env })).stdout);
  expect(answers.map(steady)).toEqual(shown.map(steady));
});

test("the client of the page shows each field that is wrong", async () => {
  const [source = ""] = pageBlocks("clients.md", "ts", "Errors");
  const path = join(serving.folder, "errors.mts");
  const client = pathToFileURL(join(ROOT, "src/client/index.ts")).href;
  await writeFile(path, asServed(source).replace("elastic-job/client", client));
  const { stdout } = await run(process.execPath, [path]);
  expect(stdout).toMatch(/^daily\.at .* is accepted\ndaily\.timeZone .* is accepted\n$/);
});
