import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClient } from "../../../src/client/lazy-client.ts";
import { type SmallJobServer, startSmallJobServer } from "../../fixtures/small-job-server.ts";

const INDEX = new URL("../../../src/index.ts", import.meta.url).href;

let server: SmallJobServer;
beforeEach(async () => {
  server = await startSmallJobServer();
});
afterEach(() => server.close());

const connect = () => createClient({ baseUrl: server.url, random: () => 0 });

test("loads no package for a module that only defines handlers", async () => {
  const program = `
    import { registerHooks } from "node:module";
    const urls = [];
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
    const { createClient, defineJobs } = await import(${JSON.stringify(INDEX)});
    createClient({ baseUrl: "http://127.0.0.1:1" });
    console.log(JSON.stringify([typeof defineJobs, urls.filter((url) => url.includes("/node_modules/"))]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  expect(JSON.parse(stdout)).toEqual(["function", []]);
});

test("sends what it was given, whatever becomes of that while the client is being loaded", async () => {
  const client = connect();
  const job = { handler: "echo", name: "first", timed: { runAt: new Date("2030-01-01T08:00:00Z") } };
  const first = client.addJob(job);
  job.name = "second";
  const second = client.addJob(job);
  job.name = "none";
  expect((await client.getJobStatus((await first).jobId)).job).toMatchObject({
    name: "first",
    timed: { runAt: "2030-01-01T08:00:00Z" },
  });
  expect((await client.getJobStatus((await second).jobId)).job.name).toBe("second");
});

test("sends each digit of what it was given, in the first call too", async () => {
  const client = connect();
  const adds = [1n, 2n].map((n) => client.addJob({ handler: "echo", payload: [2n ** 64n + n] }));
  const jobs = await Promise.all(adds.map(async (add) => client.getJobStatus((await add).jobId)));
  expect(jobs.map(({ job }) => job.payloadJson)).toEqual([
    "[18446744073709551617]",
    "[18446744073709551618]",
  ]);
});

test("lists, watches and refuses as the client does", async () => {
  const client = connect();
  const [outcome] = await client.addJobs([{ handler: "echo" }]);
  if (outcome === undefined || !("added" in outcome)) throw new Error("it was not added");
  const { jobId } = outcome.added;
  const listed: string[] = [];
  for await (const job of client.eachJob()) listed.push(job.jobId);
  expect(listed).toEqual([jobId]);
  for await (const { job } of client.watchJob(jobId)) expect(job.jobId).toBe(jobId);
  await expect(client.getJobStatus("no id")).rejects.toMatchObject({ name: "ConnectError" });
});
