import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startExample } from "../../fixtures/example-process.ts";
import { exampleReadme } from "../../fixtures/example-readme.ts";
import { startServing } from "../../fixtures/serving-process.ts";
import { until } from "../../fixtures/until.ts";

const run = promisify(execFile);
const README = exampleReadme("examples/web-service/README.md");

test("the service answers what its README shows", async () => {
  const [[start = ""] = [], [service = ""] = [], [first = "", again = "", look = ""] = []] = README.commands;
  const [, handlers = ""] = /^HANDLERS=(\S+) npm start$/.exec(start) ?? [];
  const serving = await startServing({ HANDLERS: handlers });
  onTestFinished(() => serving.stop());
  const [, path = ""] = /^npx node (\S+)$/.exec(service) ?? [];
  const example = await startExample(path, { ELASTIC_JOB_URL: serving.edgeUrl });
  onTestFinished(async () => void (await example.stop()));

  const ask = async (line: string) =>
    (await run("sh", ["-c", line.replace("http://127.0.0.1:3000", example.url)])).stdout;
  const answers = [await ask(first), await ask(again)];
  await until("the job has ended", async () => (await ask(look)).includes("SUCCEEDED"));
  answers.push(await ask(look));
  // The key ends with when the job was due.
  const steady = (line: string) => line.replace(/("key":"1-)\d+/, "$1…");
  expect(answers.map(steady)).toEqual(README.output.map(steady));
});

test("an address that is none is not tried again", async () => {
  const serving = await startServing({ HANDLERS: "examples/web-service/handlers.ts" });
  onTestFinished(() => serving.stop());
  const example = await startExample("examples/web-service/service.ts", { ELASTIC_JOB_URL: serving.edgeUrl });
  onTestFinished(async () => void (await example.stop()));
  const body = JSON.stringify({ order: 8, email: "nowhere" });
  const { jobId } = (await (await fetch(`${example.url}/orders`, { method: "POST", body })).json()) as {
    jobId: string;
  };
  const state = async () => (await fetch(`${example.url}/jobs/${jobId}`)).text();
  await until("it has failed", async () => (await state()).includes("JOB_STATUS_FAILED"));
  expect(await state()).toContain("payload.email: nowhere is no address");
});
