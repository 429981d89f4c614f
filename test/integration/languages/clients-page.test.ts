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

test("the job that is watched by GET goes through the states that the page shows", async () => {
  const [calls = ""] = pageBlocks("clients.md", "sh", "Watching by GET");
  const [shown = ""] = pageBlocks("clients.md", "", "Watching by GET");
  const [add = "", watch = ""] = calls.trim().split("\n").map(asServed);
  const { jobId } = JSON.parse((await run("sh", ["-c", add])).stdout);
  const { stdout } = await run("sh", ["-c", watch.replace("jobId=1", `jobId=${jobId}`)]);
  const skeleton = (text: string) =>
    text
      .replaceAll(/^id: [\w-]{16}$/gm, "id: ID")
      .replaceAll(/^data: \{"job".*"status":"(\w+)".*$/gm, (_, status) => `data: ${status}`);
  // On a busy machine, the first states may have gone by, and one more may be seen.
  const known = new Set([...skeleton(shown).split("\n"), "data: JOB_STATUS_PREPARED"]);
  expect(
    skeleton(stdout)
      .split("\n")
      .filter((line) => !known.has(line)),
  ).toEqual([]);
  const end = (text: string) => skeleton(text).trim().split("\n\n").slice(-2);
  expect(end(stdout)).toEqual(end(shown));
});

test("the client of the page shows each field that is wrong", async () => {
  const [source = ""] = pageBlocks("clients.md", "ts", "Errors");
  const path = join(serving.folder, "errors.mts");
  const client = pathToFileURL(join(ROOT, "src/client/index.ts")).href;
  await writeFile(path, asServed(source).replace("elastic-job/client", client));
  const { stdout } = await run(process.execPath, [path]);
  expect(stdout).toMatch(/^daily\.at .* is accepted\ndaily\.timeZone .* is accepted\n$/);
});
