/** The client, installed from its tarball, on each Node and on Deno, against a node that the other package has started. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { freePort } from "../servers/free-port.ts";
import { ALL, CURRENT, OLDEST } from "./nodes.ts";
import { readmeBlocks } from "./readme-blocks.ts";
import { type Dev, startDev } from "./start-dev.ts";
import { usersEnvironment } from "./users-environment.ts";

const { folder } = inject("client");
const DENO = join(import.meta.dirname, "node_modules/@deno/linux-x64-glibc/deno");
const run = promisify(execFile);

let dev: Dev;
let nodeUrl: string;
beforeAll(async () => {
  const port = await freePort();
  nodeUrl = `http://127.0.0.1:${port}`;
  const start = join(inject("whole").folder, "node_modules/elastic-job/dist/cli/start.mjs");
  dev = await startDev([CURRENT.path, start, "dev"], inject("whole").folder, { PORT: String(port) });
});
afterAll(() => dev?.stop());

/** What it prints. */
async function runProgram(path: string, args: readonly string[], source: string): Promise<string> {
  const [name] = /\w+(?=\.m[jt]s$)/.exec(args.at(-1) ?? "") ?? [];
  if (name === undefined) throw new Error("no file");
  await writeFile(join(folder, args.at(-1) ?? ""), source);
  const { stdout } = await run(path, args, { cwd: folder, env: usersEnvironment(), timeout: 60_000 });
  return stdout;
}

const USE = () => `
  import { Code, createClient } from "@elastic-job/client";
  import { JobService } from "@elastic-job/client/services";
  const client = createClient({ baseUrl: "${dev.url}" });
  const { jobId } = await client.addJob({ handler: "echo", payload: { hello: "world" } });
  let output;
  for await (const { lastResult } of client.watchJob(jobId)) output = lastResult?.output;
  const refusal = await client.getJobStatus("999999").catch(({ code }) => Code[code]);
  console.log(JSON.stringify([output, refusal, JobService.typeName]));`;
const CONTRACT = () => `
  import { createClient } from "@elastic-job/client";
  import { defineContract } from "@elastic-job/client/contract";
  import * as z from "zod";
  const contract = defineContract({ sleep: { payload: z.object({ ms: z.number().max(9) }) } });
  const client = createClient({ baseUrl: "${dev.url}", contract });
  const refusal = await client.add("sleep", { ms: 10 }).catch(({ rawMessage }) => rawMessage);
  console.log(JSON.stringify([await client.add("sleep", { ms: 5 }).result(), refusal]));`;
const USED = [{ hello: "world" }, "NotFound", "elasticjob.v1.JobService"];

describe("the client", () => {
  test.each(ALL)("adds a job and watches it end on $name", async ({ name, path }) => {
    expect(JSON.parse(await runProgram(path, [`use-${name}.mjs`], USE()))).toEqual(USED);
  });

  test.each(ALL)("checks what it adds by a contract on $name", async ({ name, path }) => {
    expect(JSON.parse(await runProgram(path, [`contract-${name}.mjs`], CONTRACT()))).toEqual([
      { sleptMs: 5 },
      "sleep: payload.ms: Too big: expected number to be <=9",
    ]);
  });

  test("adds a job and watches it end on Deno, which may reach the network only", async () => {
    const args = ["run", "--no-prompt", "--allow-net=127.0.0.1", "use_deno.mjs"];
    expect(JSON.parse(await runProgram(DENO, args, USE()))).toEqual(USED);
  });

  test("keeps a bigint's digits, or refuses it by name where the engine can't", async () => {
    const source = `
      import { createClient } from "@elastic-job/client";
      const client = createClient({ baseUrl: "${dev.url}" });
      const add = (job) => client.addJob({ handler: "echo", ...job }).then(({ jobId }) => client.getJobStatus(jobId));
      const told = await add({ payload: [3889108265204450031n] })
        .then(({ job }) => job.payloadJson, ({ rawMessage }) => rawMessage);
      const { job } = await add({ payloadJson: "[3889108265204450031]" });
      console.log(JSON.stringify([told, job.payloadJson]));`;
    const digits = "[3889108265204450031]";
    expect(JSON.parse(await runProgram(CURRENT.path, ["digits_new.mjs"], source))).toEqual([digits, digits]);
    expect(JSON.parse(await runProgram(OLDEST.path, ["digits_old.mjs"], source))).toEqual([
      expect.stringMatching(
        /^3889108265204450031: a bigint can't be written by .* payloadJson, is accepted$/,
      ),
      digits,
    ]);
  });

  test("adds over HTTP/2, with the package that it names as optional", async () => {
    const source = `
      import { createClient } from "@elastic-job/client";
      import { createHttp2Transport } from "@elastic-job/client/http2";
      const client = createClient({ transport: createHttp2Transport("${nodeUrl}") });
      const outcomes = await client.addJobs([{ handler: "echo" }, { handler: "echo" }]);
      console.log(outcomes.filter(({ added }) => added?.created).length);
      process.exit();`;
    expect(await runProgram(CURRENT.path, ["http2.mjs"], source)).toBe("2\n");
  });

  test("has stack traces that lead to its sources", async () => {
    const source = `
      import { createClient } from "@elastic-job/client";
      await createClient({ baseUrl: "${dev.url}" }).addJob({ handler: "" }).catch(({ stack }) => console.log(stack));`;
    const [, line = ""] =
      /@elastic-job\/client\/(src\/client\/\S+\.ts:\d+)/.exec(
        await runProgram(CURRENT.path, ["--enable-source-maps", "stack.mjs"], source),
      ) ?? [];
    const [path = "", number = ""] = line.split(":");
    const text = await readFile(join(folder, "node_modules/@elastic-job/client", path), "utf8");
    expect(text.split("\n")[Number(number) - 1]).toMatch(/throw|ConnectError|await|\(/);
  });

  const blocks = readmeBlocks("client");
  test.each(blocks.map((block, index) => [index, block] as const))(
    "prints what its README says, in example %i",
    async (index, { source, output }) => {
      const here = source.replace("http://127.0.0.1:8080", dev.url);
      const printed = await runProgram(CURRENT.path, [`readme_${index}.mts`], here);
      // A job may be seen while it runs, or not.
      expect(printed.replace(/^JOB_STATUS_RUNNING .*\n/gm, "")).toBe(output);
    },
  );
});
