/** Watches as server-sent events: with curl, as people use them, and answer by answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { createEdge, type EdgeOptions } from "../../../src/edge/app.ts";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";
import { watchEvents } from "../../../src/edge/watch-events.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

let node: TestNode;
let edge: RunningEdge;
const upstreams = () => [node.url];
beforeAll(async () => {
  node = await startNode();
  edge = await startEdge({ host: "127.0.0.1", port: 0, upstreams: upstreams(), allowedOrigins: [] });
});
afterAll(async () => {
  await edge.close();
  await stopNodes();
});

async function addJob(): Promise<string> {
  const body = '{"handler": "echo", "payload": {"id": 3889108265204450030}}';
  const answer = await fetch(`${edge.url}/JobService/AddJob`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return ((await answer.json()) as { jobId: string }).jobId;
}

/** At an edge without a port, from this machine. */
function watch(query: string, headers: Record<string, string> = {}, options: Partial<EdgeOptions> = {}) {
  const app = createEdge({ upstreams: upstreams(), allowedOrigins: ["https://ops.example"], ...options });
  const all = { host: "127.0.0.1:8080", ...headers };
  return app.request(`/JobService/WatchJob?${query}`, { headers: all }, { remote: "127.0.0.1" });
}

/** Events as they come, each as its lines. */
async function* eventsOf(answer: Response): AsyncGenerator<Record<string, string>> {
  let text = "";
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      yield Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: (.*)/, 2)),
      );
      text = text.slice(end + 2);
    }
  }
}

const statusIn = ({ data = "{}" }: Record<string, string>) => JSON.parse(data).job?.status;

test("curl -N prints each state of a job, and ends with it", async () => {
  const jobId = await addJob();
  const curl = spawn("curl", ["-sN", `${edge.url}/JobService/WatchJob?jobId=${jobId}`]);
  const exit = once(curl, "exit");
  let printed = "";
  curl.stdout.on("data", (part: Buffer) => {
    printed += part.toString();
  });
  await until("it tells how the job stands", () => printed.includes("JOB_STATUS_PREPARED"));
  node.api.setStatus(Number(jobId), STORED_STATUS.SUCCEEDED);
  expect(await exit).toEqual([0, null]);
  const id = "id: [\\w-]{16}";
  const state = (status: string) => `${id}\ndata: {"job":{.*"status":"${status}".*}}\n\n`;
  expect(printed).toMatch(
    new RegExp(
      `^retry: 1000\n\n${state("JOB_STATUS_PREPARED")}${state("JOB_STATUS_SUCCEEDED")}id: end\nevent: end\ndata: {}\n\n$`,
    ),
  );
  // With all its digits, and on one line.
  expect(printed).toContain('"payload":{"id":3889108265204450030}');
});

test("is no answer for a cache, or for a proxy to gather", async () => {
  const answer = await watch(`jobId=${await addJob()}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("x-accel-buffering")).toBe("no");
  await answer.body?.cancel();
});

test("the cluster is watched in the same way", async () => {
  const app = createEdge({ upstreams: upstreams(), allowedOrigins: [], isOpen: true });
  const events = eventsOf(await app.request("/ClusterService/WatchCluster"));
  await events.next();
  expect(JSON.parse((await events.next()).value?.["data"] ?? "")).toMatchObject({ cluster: { epoch: 7 } });
  await events.return(undefined);
});

test("who comes back hears only of another state, and after the end of nothing", async () => {
  const query = `jobId=${await addJob()}`;
  const first = eventsOf(await watch(query));
  await first.next();
  const { id = "" } = (await first.next()).value ?? {};
  await first.return(undefined);

  const again = eventsOf(await watch(query, { "last-event-id": id }));
  await again.next();
  expect((await again.next()).value).not.toHaveProperty("data");
  node.api.setStatus(Number(query.slice(6)), STORED_STATUS.FAILED);
  const changed = (await again.next()).value ?? {};
  expect(statusIn(changed)).toBe("JOB_STATUS_FAILED");
  expect((await again.next()).value).toEqual({ id: "end", event: "end", data: "{}" });
  expect((await again.next()).done).toBe(true);

  expect((await watch(query, { "last-event-id": "end" })).status).toBe(204);
  const late = await Array.fromAsync(eventsOf(await watch(query, { "last-event-id": "of another one" })));
  expect(late.map(statusIn)).toContain("JOB_STATUS_FAILED");
});

describe("before the first event, an error is an answer of its own", () => {
  test.each<[string, string, number, string]>([
    ["a job that is not there", "jobId=999999", 404, "not_found"],
    ["no job", "", 400, "invalid_argument"],
    ["what is no id", "jobId=x", 400, "invalid_argument"],
    ["a field that is not known", "jobId=1&bogus=2", 400, "invalid_argument"],
    ["a field that is there twice", "jobId=1&jobId=2", 400, "invalid_argument"],
  ])("%s", async (_, query, status, code) => {
    const answer = await watch(query);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });

  test("names the fields that are wrong in its details as well", async () => {
    const answer = await watch("jobId=1&bogus=2");
    expect(await answer.json()).toMatchObject({
      details: [{ debug: { fieldViolations: [{ field: "bogus" }] } }],
    });
  });

  test.each<[string, number, Record<string, string>]>([
    ["a page elsewhere", 403, { origin: "https://evil.example" }],
    ["a page elsewhere that says no Origin", 403, { "sec-fetch-site": "cross-site" }],
    ["a name of somebody's that leads here", 401, { host: "rebound.example" }],
  ])("%s is not answered", async (_, status, headers) => {
    expect((await watch("jobId=1", headers)).status).toBe(status);
  });

  test("a page that is named is, and may read it", async () => {
    const answer = await watch(`jobId=${await addJob()}`, { origin: "https://ops.example" });
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://ops.example");
    await answer.body?.cancel();
  });

  test("where there are tokens, it needs one that may read", async () => {
    const tokens = () => [{ name: "reader", role: "read" as const, token: "a-token-of-tests-that-reads" }];
    const query = `jobId=${await addJob()}`;
    expect((await watch(query, {}, { tokens })).status).toBe(401);
    const authorization = "Bearer a-token-of-tests-that-reads";
    const answer = await watch(query, { authorization }, { tokens });
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  });

  test("nobody's HEAD begins a watch", async () => {
    const answer = await fetch(`${edge.url}/JobService/WatchJob?jobId=${await addJob()}`, { method: "HEAD" });
    expect(answer.status).toBe(405);
  });
});

test("each is one of the calls that an edge takes, until its reader goes", async () => {
  const query = `jobId=${await addJob()}`;
  const app = createEdge({ upstreams: upstreams(), allowedOrigins: [], isOpen: true, maxCalls: 1 });
  const ask = () => app.request(`/JobService/WatchJob?${query}`);
  const first = await ask();
  expect((await ask()).status).toBe(503);
  await first.body?.cancel();
  const next = await ask();
  expect(next.status).toBe(200);
  await next.body?.cancel();
  // Nor is one that has ended, or never began.
  for (let time = 0; time < 3; time++) {
    expect((await app.request("/JobService/WatchJob?jobId=999999")).status).toBe(404);
  }
  node.api.setStatus(Number(query.slice(6)), STORED_STATUS.SUCCEEDED);
  for (let time = 0; time < 3; time++) expect(await (await ask()).text()).toContain("event: end");
});

test("a node that stops is told of as a failure, after which a reader comes back", async () => {
  const own = await startNode();
  const app = createEdge({ upstreams: [own.url], allowedOrigins: [], isOpen: true });
  const body = '{"handler": "echo"}';
  const headers = { "content-type": "application/json" };
  const added = await app.request("/JobService/AddJob", { method: "POST", headers, body });
  const { jobId } = (await added.json()) as { jobId: string };
  const events = eventsOf(await app.request(`/JobService/WatchJob?jobId=${jobId}`));
  await events.next();
  expect(statusIn((await events.next()).value ?? {})).toBe("JOB_STATUS_PREPARED");
  const closed = own.server.close(5_000);
  const last = (await events.next()).value ?? {};
  expect(last["event"]).toBe("failure");
  expect(last).not.toHaveProperty("id");
  expect(JSON.parse(last["data"] ?? "")).toMatchObject({ code: "unavailable" });
  expect((await events.next()).done).toBe(true);
  await closed;
});

test("a watch on which nothing happens is heard of all the same, and costs nothing once its reader is gone", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const message = '{"job":{"jobId":"1"}}';
    const envelope = new Uint8Array([0, 0, 0, 0, message.length, ...new TextEncoder().encode(message)]);
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(envelope),
      cancel: () => {
        isCancelled = true;
      },
    });
    const answer = await watchEvents(new Request("http://edge/?jobId=1"), async () => new Response(body));
    const events = eventsOf(answer);
    await events.next();
    await events.next();
    const beat = events.next();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await beat).toMatchObject({ value: { "": "still here" } });
    await events.return(undefined);
    expect(isCancelled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
