/** Real nodes whose module has a contract, and clients that have it too. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { createClient } from "../../../src/client/client.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { JobResultError } from "../../../src/client/job-result.ts";
import { defineContract } from "../../../src/contract/contract.ts";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { until } from "../../fixtures/until.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../../servers/shared.ts";

const INDEX = new URL("../../../src/index.ts", import.meta.url).href;
const ZOD = import.meta.resolve("zod");
const CONTRACT = `defineContract({
  greet: {
    payload: z.object({ name: z.string(), times: z.number().default(2), at: z.coerce.date() }),
    output: z.object({ hello: z.string(), year: z.number() }),
  },
})`;
/** The same, as the client has it. */
const contract = defineContract({
  greet: {
    payload: z.object({ name: z.string(), times: z.number().default(2), at: z.coerce.date() }),
    output: z.object({ hello: z.string(), year: z.number() }),
  },
});

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
const nodes: NodeProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "contract-"));
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.kill()));
  await rm(folder, { recursive: true });
});

async function start(name: string, env: Record<string, string>, source = CONTRACT): Promise<NodeProcess> {
  const path = join(folder, `${name}.mts`);
  await writeFile(
    path,
    `import { defineContract, defineJobs } from ${JSON.stringify(INDEX)};
     import * as z from ${JSON.stringify(ZOD)};
     export default defineJobs(${source}, {
       greet: ({ name, times, at }) => ({ hello: Array(times).fill(name).join(" "), year: at.getUTCFullYear() }),
     });`,
  );
  const node = await startNodeProcess({ SLOTS: "2", NODE_ID: name, HANDLERS: path, ...env });
  nodes.push(node);
  return node;
}

/** The page's examples of these names, as files beside each other. Returns what the last one prints, as the page has it. */
async function writePage(
  names: readonly string[],
  url: () => string,
): Promise<() => Promise<[string, string]>> {
  const page = await readFile(new URL("../../../docs/handlers.md", import.meta.url), "utf8");
  const write = async (name: string) => {
    const [, source = "", printed = ""] =
      new RegExp(`\`\`\`ts\n(// ${name}[^]*?)\`\`\`(?:\n\n\`\`\`\n([^]*?)\`\`\`)?`).exec(page) ?? [];
    const own = (part: string) => JSON.stringify(new URL(`../../../src/${part}`, import.meta.url).href);
    const here = source
      .replace('"elastic-job/contract"', own("contract/index.ts"))
      .replace('"elastic-job/client"', own("client/index.ts"))
      .replace('"elastic-job"', own("index.ts"))
      .replace('"zod"', JSON.stringify(ZOD))
      .replace("http://127.0.0.1:8080", url());
    await writeFile(join(folder, name), here);
    return printed;
  };
  const last = names.at(-1) ?? "";
  for (const name of names.slice(0, -1)) await write(name);
  return async () => {
    const expected = await write(last);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, last)], { timeout: 60_000 });
    return [stdout, expected];
  };
}

describe("a node alone", () => {
  test("does with the page's contract what the page says", async () => {
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    let url = "";
    const add = await writePage(["contract.ts", "jobs.ts", "add.ts"], () => url);
    const node = await startNodeProcess({ SLOTS: "1", HANDLERS: join(folder, "jobs.ts"), DATA_DIR: folder });
    nodes.push(node);
    ({ url } = node);
    const [printed, expected] = await add();
    expect(printed).toBe(expected);
    expect(expected).not.toBe("");
  });

  test("runs what fits with defaults and dates, and ends what does not for good", async () => {
    const node = await start("alone", { DATA_DIR: folder });
    const transports = {
      "HTTP/1.1": { baseUrl: node.url },
      "HTTP/2": { transport: createHttp2Transport(node.url) },
    };
    for (const where of Object.values(transports)) {
      const client = createClient({ ...where, contract });
      const adding = client.add("greet", { name: "you", at: new Date("2026-03-28T00:00:00Z") });
      expect(await adding.result({ timeoutMs: 20_000 })).toEqual({ hello: "you you", year: 2026 });
      const { job } = await client.getJobStatus((await adding).jobId);
      expect(job.payload).toEqual({ name: "you", at: "2026-03-28T00:00:00.000Z" });

      const unchecked = createClient(where).add("greet", { name: 5, at: "soon" });
      const error: unknown = await unchecked.result({ timeoutMs: 20_000 }).catch((reason: unknown) => reason);
      if (!(error instanceof JobResultError)) throw new Error(String(error));
      expect(error).toMatchObject({ outcome: "OUTCOME_FAILED", error: { name: "PayloadError" } });
      expect(error.message).toMatch(/greet: payload\.name: .*string.*; payload\.at: .*date/);
      const { job: failed } = await client.getJobStatus((await unchecked).jobId);
      // Of three that its retry policy would grant.
      expect(failed).toMatchObject({ status: "JOB_STATUS_FAILED", attempt: 1 });
    }
  });
});

describe("nodes of a cluster", () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let env: Record<string, string>;
  beforeEach(async () => {
    database = await freshDatabase();
    env = { MYSQL_URL: database.url, REDIS_URL: redisUrl(), CLUSTER_PREFIX: freshPrefix() };
  });
  afterEach(() => database.drop());

  const greetAt = async ({ url }: NodeProcess) => {
    const client = createClient({ baseUrl: url, timeoutMs: 30_000 });
    for await (const handler of client.eachHandler({ pageSize: 2 }))
      if (handler.name === "greet") return handler;
    return undefined;
  };
  /** Waits until the nodes that offer it are these, in their forms. */
  const shown = async (at: NodeProcess, forms: readonly (readonly string[])[]) => {
    await until(
      `greet is offered by ${JSON.stringify(forms)}`,
      async () => {
        const greet = await greetAt(at);
        const told = greet?.forms.filter(({ payloadSchema }) => payloadSchema !== "") ?? [];
        return JSON.stringify(told.map(({ nodeIds }) => nodeIds).sort()) === JSON.stringify(forms);
      },
      60_000,
    );
    return greetAt(at);
  };

  test("tell what their handlers take and give, which any of them lists, after a failover too", async () => {
    const first = await start("n1", env);
    const second = await start("n2", env);
    const greet = await shown(second, [["n1", "n2"]]);
    const [form] = greet?.forms ?? [];
    expect(form?.nodes).toBe(2);
    expect(JSON.parse(form?.payloadSchema ?? "")).toMatchObject({
      properties: { name: { type: "string" }, times: { default: 2, type: "number" } },
      required: ["name", "at"],
    });
    expect(JSON.parse(form?.outputSchema ?? "")).toMatchObject({ required: ["hello", "year"] });
    // Whichever is master: it is the first.
    await first.kill();
    await shown(second, [["n2"]]);
    const third = await start("n3", env, CONTRACT.replace("z.string()", "z.string().min(1)"));
    const both = await shown(third, [["n2"], ["n3"]]);
    expect(both?.forms.map(({ payloadSchema }) => payloadSchema.includes("minLength")).sort()).toEqual([
      false,
      true,
    ]);
    const names = (await createClient({ baseUrl: third.url }).getHandlers()).handlers.map(({ name }) => name);
    expect(names).toEqual(["echo", "fail", "greet", "http", "sleep"]);
  });
});
