/** /openapi.json against what is documented, and against what the edge takes and answers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServingProcess, startServing } from "../../fixtures/serving-process.ts";
import { until } from "../../fixtures/until.ts";

const ROOT = join(import.meta.dirname, "../../..");

interface Body {
  readonly content: { readonly "application/json": { readonly schema: { readonly $ref: string } } };
}
interface Operation {
  readonly requestBody: Body;
  readonly responses: { readonly "200": Body };
}
interface Document {
  readonly paths: Readonly<Record<string, { readonly post?: Operation; readonly get?: object }>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let serving: ServingProcess;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  serving = await startServing();
  document = (await (await fetch(`${serving.edgeUrl}/openapi.json`)).json()) as Document;
  // Answers may have more some day; these have just what is described.
  const closed = JSON.parse(JSON.stringify(document), (_, value) =>
    value?.type === "object" && "properties" in value ? { ...value, additionalProperties: false } : value,
  );
  ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv, ["date-time", "double", "int32"]);
  ajv.addSchema({ $id: "document", ...closed });
});
afterAll(() => serving.stop());

/** What is wrong with a value, in words; none: it is as described. */
function faults(ref: string, value: unknown): string[] {
  const validate = ajv.compile({ $ref: `document${ref}` }) as ValidateFunction;
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message = "" }) => `${instancePath} ${message}`);
}

const refOf = ({ content }: Body) => content["application/json"].schema.$ref;
const ERROR = "#/components/schemas/Error";

function operationOf(path: string): Operation {
  const post = document.paths[path]?.post;
  if (post === undefined) throw new Error(`${path} is not described`);
  return post;
}

/** Both as described, and the request also where it is accepted. */
async function call(path: string, body: string) {
  const operation = operationOf(path);
  const answer = await fetch(`${serving.edgeUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const json = await answer.json();
  const wrongAnswer = faults(answer.ok ? refOf(operation.responses["200"]) : ERROR, json);
  expect({ json, wrongAnswer }).toEqual({ json, wrongAnswer: [] });
  const wrongRequest = answer.ok ? faults(refOf(operation.requestBody), JSON.parse(body)) : [];
  expect({ body, wrongRequest }).toEqual({ body, wrongRequest: [] });
  return { ok: answer.ok, json };
}

test("is OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

const PAGES = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];
const CALL = /curl[^\n]* (?:\S+)?(\/\w+Service\/\w+) -d '([^'\n]*)'/g;
const DOCUMENTED = PAGES.flatMap((page) =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(CALL)].map(
    ([, path = "", body = ""]) => [page, path, body] as const,
  ),
);

test("the documented calls are found", () => {
  expect(DOCUMENTED.length).toBeGreaterThan(20);
});

test.each(DOCUMENTED)(
  "in %s: the call of %s with %s, and its answer, are as described",
  async (_, path, body) => {
    await call(path, body);
  },
);

/** Whole answers that the pages show, on lines of their own. */
const SHOWN = PAGES.filter((page) => page.endsWith(".md")).flatMap((page) =>
  [
    ...readFileSync(join(ROOT, page), "utf8").matchAll(
      /^(\{"(code|jobId|job|jobs|results|occurrences|applied)":.*\})$/gm,
    ),
  ].flatMap(([, text = "", first = ""]) => {
    if (!isJson(text)) return [];
    // Two answers begin with a job.
    return [[page, text.includes('"outcome":"PUT_') && first === "jobId" ? "put" : first, text] as const];
  }),
);
const MESSAGES: Readonly<Record<string, string>> = {
  code: ERROR,
  jobId: "#/components/schemas/elasticjob.v1.AddJobResponse",
  put: "#/components/schemas/elasticjob.v1.PutJobResponse",
  applied: "#/components/schemas/elasticjob.v1.PutJobSetResponse",
  job: "#/components/schemas/elasticjob.v1.GetJobStatusResponse",
  jobs: "#/components/schemas/elasticjob.v1.GetAllJobsResponse",
  results: "#/components/schemas/elasticjob.v1.GetAllResultResponse",
  occurrences: "#/components/schemas/elasticjob.v1.PreviewScheduleResponse",
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each(SHOWN)("in %s: an answer that begins with %s is as described: %s", (_, first, text) => {
  expect(faults(MESSAGES[first] ?? "", JSON.parse(text))).toEqual([]);
});

test("each method answers as described", async () => {
  const ok = async (path: string, request: object) => {
    const { ok: isOk, json } = await call(path, JSON.stringify(request));
    expect({ path, json, isOk }).toMatchObject({ isOk: true });
    called.add(path);
    return json as { jobId: string; lastResult?: object; jobs: object[] };
  };
  const called = new Set<string>();
  const jobs = "/JobService";
  const far = { timed: { runAt: "2099-01-01T00:00:00Z" } };
  const { jobId } = await ok(`${jobs}/AddJob`, {
    handler: "echo",
    payload: [1, "x", null],
    timeout: "1m30s",
  });
  await until(
    "it has a result",
    async () => (await ok(`${jobs}/GetJobStatus`, { jobId })).lastResult !== undefined,
  );
  const later = await ok(`${jobs}/AddJob`, {
    ...{
      handler: "echo",
      name: "n",
      ...far,
      priority: 5,
      idempotencyKey: "k",
      keyLife: "KEY_LIFE_UNFINISHED",
    },
    ...{ retry: { maxAttempts: 2, multiplier: 1.5 }, requirements: { slots: 1, labels: { a: "b" } } },
  });
  const daily = {
    handler: "echo",
    daily: { at: "08:30", gap: "GAP_SKIP" },
    jitter: "5s",
    overlap: "OVERLAP_ALLOW",
  };
  await ok(`${jobs}/AddJobs`, {
    jobs: [daily, { handler: "nobody has it" }, { handler: "echo", priority: 1000 }],
  });
  await ok(`${jobs}/AddJobs`, { table: { templates: [{ handler: "echo" }], template: [0, 0] } });
  const update = { name: "other", retry: { maxAttempts: 7 } };
  await ok(`${jobs}/UpdateJob`, { jobId: later.jobId, job: update, updateMask: "name,retry.maxAttempts" });
  for (const method of ["PauseJob", "ResumeJob", "TriggerJob", "CancelJob"])
    await ok(`${jobs}/${method}`, { jobId: later.jobId });
  const failing = await ok(`${jobs}/AddJob`, {
    handler: "fail",
    payload: { message: "no" },
    retry: { maxAttempts: 1 },
  });
  await until(
    "it has failed",
    async () => (await ok(`${jobs}/GetJobStatus`, { jobId: failing.jobId })).lastResult !== undefined,
  );
  await ok(`${jobs}/RetryJob`, { jobId: failing.jobId });
  await ok(`${jobs}/GetAllJobs`, { withTotal: true, pageSize: 1000 });
  await ok(`${jobs}/GetAllResult`, { pageSize: 1000 });
  await ok(`${jobs}/PreviewSchedule`, {
    cron: { expression: "0 3 * * *", timeZone: "Europe/Berlin" },
    count: 3,
  });
  const nightly = { handler: "echo", cron: { expression: "0 3 * * *" } };
  await ok(`${jobs}/PutJob`, { idempotencyKey: "nightly", job: nightly });
  await ok(`${jobs}/PutJobSet`, {
    set: "reports",
    generation: 7,
    jobs: [
      { name: "nightly", job: nightly },
      { name: "hourly", job: { handler: "echo", interval: { every: "1h" } } },
    ],
  });
  await ok(`${jobs}/DeleteJob`, { jobId: later.jobId });
  await ok("/ClusterService/GetCluster", {});
  await ok("/ClusterService/DrainNode", { nodeId: "n1" });
  await ok("/ClusterService/UndrainNode", { nodeId: "n1" });
  await ok("/ClusterService/GetAudit", { pageSize: 1000 });
  await ok("/ClusterService/GetHandlers", {});
  await ok(`${jobs}/GetJobLog`, { jobId });
  const described = Object.entries(document.paths).flatMap(([path, { post }]) =>
    post === undefined ? [] : [path],
  );
  expect(described.filter((path) => !called.has(path))).toEqual([]);
});

test.each(["/JobService/WatchJob", "/ClusterService/WatchCluster"])(
  "%s has events as described",
  async (path) => {
    const operation = document.paths[path]?.get as {
      readonly parameters: readonly { readonly name: string }[];
      readonly responses: {
        "200": { content: { "text/event-stream": { "x-event-data": { $ref: string } } } };
      };
    };
    const { jobId } = (await call("/JobService/AddJob", '{"handler": "echo"}')).json as { jobId: string };
    const query = operation.parameters.map(({ name }) => `${name}=${jobId}`).join("&");
    const answer = await fetch(`${serving.edgeUrl}${path}?${query}`);
    let text = "";
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      if (/^data: .*$\n\n/m.test(text)) break;
    }
    const [, data = ""] = /^data: (.*)$/m.exec(text) ?? [];
    const { $ref } = operation.responses["200"].content["text/event-stream"]["x-event-data"];
    expect(faults($ref, JSON.parse(data))).toEqual([]);
  },
);

describe("what is refused by the description is refused by the edge as well", () => {
  test.each<[string, object]>([
    ["an unknown field", { handler: "echo", what: 1 }],
    ["two schedules", { handler: "echo", immediate: {}, daily: { at: "08:30" } }],
    ["two times", { handler: "echo", timed: { delay: "1s", runAt: "2099-01-01T00:00:00Z" } }],
    ["a name that no enum has", { handler: "echo", misfire: "MISFIRE_TWICE" }],
    ["a fraction for a whole number", { handler: "echo", priority: 1.5 }],
    ["a duration without a unit", { handler: "echo", timeout: "5" }],
    ["an instant without a zone", { handler: "echo", timed: { runAt: "2099-01-01 00:00:00" } }],
    ["a number for a text", { handler: 5 }],
  ])("%s", async (_, request) => {
    const { ok } = await call("/JobService/AddJob", JSON.stringify(request));
    expect(ok).toBe(false);
    expect(faults(refOf(operationOf("/JobService/AddJob").requestBody), request)).not.toEqual([]);
  });
});

test("is kept by its hash, and needs no token", async () => {
  const guarded = await startServing({ API_TOKENS: "a-token-of-tests-for-the-edge" });
  try {
    const first = await fetch(`${guarded.edgeUrl}/openapi.json`);
    expect(first.headers.get("content-type")).toBe("application/json");
    expect(await first.text()).not.toContain("a-token-of-tests");
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    const again = await fetch(`${guarded.edgeUrl}/openapi.json`, { headers });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const other = await fetch(`${guarded.edgeUrl}/openapi.json`, {
      headers: { "if-none-match": '"another"' },
    });
    expect(other.status).toBe(200);
  } finally {
    await guarded.stop();
  }
});
