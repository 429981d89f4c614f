/** The types, by the compilers and in the ways that people use. */
import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { readmeBlocks } from "./readme-blocks.ts";
import { usersEnvironment } from "./users-environment.ts";

/** 5.9, and the project's own. */
const COMPILERS = ["node_modules/typescript-5", "../../node_modules/typescript"].map((path) => ({
  name: path.replace(/.*\//, ""),
  tsc: join(import.meta.dirname, path, "bin/tsc"),
}));
const WAYS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "preserve", moduleResolution: "bundler" },
];
const CASES = COMPILERS.flatMap((compiler) => WAYS.map((way) => ({ ...compiler, ...way })));

const CLIENT = `
  import { type AddJobInput, Code, ConnectError, createClient, type ElasticJobClient, type Job } from "@elastic-job/client";
  import { type AddJobRequest, AddJobRequestSchema, JobService } from "@elastic-job/client/services";
  const client: ElasticJobClient = createClient({ baseUrl: "http://127.0.0.1:8080", token: "t" });
  const input: AddJobInput = { handler: "echo", timed: { runAt: new Date() }, retry: { initialBackoff: "1m" } };
  const { jobId } = await client.addJob(input);
  const job: Job = await client.pauseJob(jobId);
  export const status: string = job.status;
  export type Request = AddJobRequest;
  export const names: string[] = [JobService.typeName, AddJobRequestSchema.typeName];
  export const isUnknown = (error: unknown) => error instanceof ConnectError && error.code === Code.NotFound;
  // @ts-expect-error -- there is no such field
  await client.addJob({ handlr: "echo" });
  // @ts-expect-error -- nor such a time
  await client.addJob({ handler: "echo", timeout: "soon" });`;
const CONTRACT = `
  import { createClient, type ElasticJobClient, JobResultError } from "@elastic-job/client";
  import { defineContract } from "@elastic-job/client/contract";
  import * as z from "zod";
  export const contract = defineContract({ greet: { payload: z.object({ at: z.coerce.date() }), output: z.object({ n: z.number() }) } });
  const client: ElasticJobClient<typeof contract> = createClient({ baseUrl: "http://127.0.0.1:8080", contract });
  export const n: number = (await client.add("greet", { at: new Date() }).result()).n;
  export const jobId: string = (await client.add("greet", { at: 0 }, { priority: 1 })).jobId;
  export const outcome = (error: unknown) => error instanceof JobResultError && error.outcome;
  // @ts-expect-error -- there is no such handler
  client.add("greed", { at: 0 });`;
const HTTP2 = `
  import { createClient } from "@elastic-job/client";
  import { createHttp2Transport } from "@elastic-job/client/http2";
  export const client = createClient({ transport: createHttp2Transport("http://127.0.0.1:7070") });`;
const WHOLE = `
  import { createClient, defineJobs, type JsonValue, PermanentError, RetryError } from "elastic-job";
  import { defineContract } from "elastic-job/contract";
  import * as z from "zod";
  import { createClient as clientOfAll } from "elastic-job/client";
  import { createHttp2Transport } from "elastic-job/http2";
  import { type Logger, parseConfig, type RunningNode, startNode } from "elastic-job/node";
  import { ClusterService } from "elastic-job/services";
  export default defineJobs({
    report: async (job, { attempt, signal }): Promise<JsonValue> => {
      if (signal.aborted) throw new RetryError(job.name, { after: 1_000 });
      if (attempt > 3) throw new PermanentError(job.id);
      return { attempt };
    },
  });
  const logger: Logger = console;
  const node: RunningNode = await startNode(parseConfig(process.env), logger);
  const client = clientOfAll({ transport: createHttp2Transport(node.address) });
  const page = await createClient({ baseUrl: "http://127.0.0.1:8080" }).getAllJobs();
  for (const { jobId } of page.jobs) await client.deleteJob(jobId);
  export const name: string = ClusterService.typeName;
  const contract = defineContract({ greet: { payload: z.object({ at: z.coerce.date() }) } });
  const jobs = defineJobs(
    contract,
    { greet: ({ at }, { resources, job }) => resources.year - at.getFullYear() + job.name.length },
    { setup: async () => ({ year: 2026 }) },
  );
  await clientOfAll<typeof jobs>({ baseUrl: "http://127.0.0.1:8080" }).add("greet", { at: "2026-01-01" });
  // @ts-expect-error -- a handler is a function
  defineJobs({ report: 5 });`;

/** What the compiler says of these files. Nothing is skipped: the types of the packages are checked too. */
async function check(
  folder: string,
  sources: readonly string[],
  { tsc, module, moduleResolution }: (typeof CASES)[number],
  types: readonly string[],
): Promise<string> {
  const place = await mkdtemp(join(folder, "types-"));
  const files = sources.map((__, index) => `use-${index}.ts`);
  await Promise.all(sources.map((source, index) => writeFile(join(place, `use-${index}.ts`), source)));
  // The types of Connect want `dom`.
  const options = { target: "es2022", lib: ["es2023", "dom", "dom.asynciterable"], types, noEmit: true };
  const strictest = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
  const compilerOptions = { module, moduleResolution, ...options, ...strictest };
  await writeFile(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  return new Promise((done) => {
    const args = [tsc, "-p", place];
    execFile(process.execPath, args, { cwd: place, env: usersEnvironment() }, (_, stdout) => done(stdout));
  });
}

describe.each(CASES)("$name, $moduleResolution", (way) => {
  test("takes the client's types, without those of Node", async () => {
    const sources = [CLIENT, CONTRACT, ...readmeBlocks("client").map(({ source }) => source)];
    expect(await check(inject("client").folder, sources, way, [])).toBe("");
  });

  test("takes the types of its HTTP/2 transport", async () => {
    expect(await check(inject("client").folder, [HTTP2], way, ["node"])).toBe("");
  });

  test("takes the types of everything", async () => {
    const sources = [WHOLE, ...readmeBlocks("elastic-job").map(({ source }) => source)];
    expect(await check(inject("whole").folder, sources, way, ["node"])).toBe("");
  });
});
