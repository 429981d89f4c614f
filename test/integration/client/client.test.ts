import { Code, ConnectError } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { refusingPort, type SmallJobServer, startSmallJobServer } from "../../fixtures/small-job-server.ts";

let server: SmallJobServer;
beforeEach(async () => {
  server = await startSmallJobServer();
});
afterEach(() => server.close());

const connect = (options: { timeoutMs?: number; maxBatchJobs?: number; token?: string } = {}) =>
  createClient({ baseUrl: server.url, random: () => 0, ...options });

function unavailable(headers: Record<string, string> = {}): ConnectError {
  return new ConnectError("no master right now", Code.Unavailable, headers);
}

/** Throws for the first `times` calls of a method. */
function failFirst(times: number, error: () => Error): void {
  let left = times;
  server.before = () => {
    if (left-- > 0) throw error();
  };
}

describe("adding", () => {
  test("takes plain JSON, with durations and instants as curl takes them", async () => {
    const added = await connect().addJob({
      handler: "echo",
      payload: { deep: [1, null, "x"] },
      timed: { runAt: new Date("2030-01-01T08:00:00Z") },
      timeout: "1.5s",
    });
    expect(added).toEqual({ jobId: "1", created: true, nextRunAt: "2026-11-22T08:00:00.250Z", reason: "" });
    const { job } = await connect().getJobStatus("1");
    expect(job).toMatchObject({
      payload: { deep: [1, null, "x"] },
      timed: { runAt: "2030-01-01T08:00:00Z" },
      timeout: "1.500s",
      status: "JOB_STATUS_SUCCEEDED",
      nodeId: "",
    });
  });

  test("sends adds made at once in one call, in their order", async () => {
    const client = connect();
    const added = await Promise.all(
      Array.from({ length: 30 }, (_, i) => client.addJob({ handler: "echo", name: `job ${i}` })),
    );
    expect(server.callsOf("AddJobs")).toHaveLength(1);
    expect(added.map(({ jobId }) => jobId)).toEqual(Array.from({ length: 30 }, (_, i) => String(i + 1)));
    expect(server.jobs.get("30")?.name).toBe("job 29");
  });

  test("gathers what is added during a call for the next one, and splits by count", async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    server.before = () => {
      entered.resolve();
      return release.promise;
    };
    const client = connect({ maxBatchJobs: 10 });
    const first = client.addJob({ handler: "echo" });
    await entered.promise;
    const rest = Array.from({ length: 25 }, () => client.addJob({ handler: "echo" }));
    release.resolve();
    await Promise.all([first, ...rest]);
    expect(server.callsOf("AddJobs")).toHaveLength(4);
  });

  test("settles each add on its own", async () => {
    const client = connect();
    const [good, bad, empty] = await Promise.allSettled([
      client.addJob({ handler: "echo" }),
      client.addJob({ handler: "unknown" }),
      client.addJob({ handler: "" }),
    ]);
    expect(good?.status).toBe("fulfilled");
    expect(bad).toMatchObject({ reason: { code: Code.FailedPrecondition } });
    expect(empty).toMatchObject({ reason: { code: Code.InvalidArgument, rawMessage: "handler: required" } });
  });

  test("refuses what is no request without bothering the server or the other adds", async () => {
    const client = connect();
    const bad = client.addJob({ handler: "echo", timeout: "5 minutes" as "5s" });
    const good = client.addJob({ handler: "echo" });
    await expect(bad).rejects.toMatchObject({ code: Code.InvalidArgument });
    await expect(good).resolves.toMatchObject({ jobId: "1" });
  });

  test("gives an outcome for each job of addJobs", async () => {
    const outcomes = await connect().addJobs([{ handler: "echo" }, { handler: "unknown" }]);
    expect(outcomes).toMatchObject([{ added: { jobId: "1" } }, { error: { code: Code.FailedPrecondition } }]);
  });
});

describe("trying again", () => {
  test("tries an add again while the cluster is unavailable, under the same key", async () => {
    failFirst(2, unavailable);
    await expect(connect().addJob({ handler: "echo" })).resolves.toMatchObject({ jobId: "1" });
    const keys = server.callsOf("AddJobs").map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("makes a call again when a failover cut some of its adds short, and adds none twice", async () => {
    server.cutShort = 1;
    const client = connect();
    const added = await Promise.all([client.addJob({ handler: "echo" }), client.addJob({ handler: "echo" })]);
    expect(added.map(({ jobId }) => jobId)).toEqual(["1", "2"]);
    expect(server.callsOf("AddJobs")).toHaveLength(2);
    expect(server.jobs.size).toBe(2);
  });

  test("uses another key for another call", async () => {
    const client = connect();
    await client.addJob({ handler: "echo" });
    await client.addJob({ handler: "echo" });
    const keys = server.callsOf("AddJobs").map(({ headers }) => headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(2);
  });

  test("does not try again what was refused", async () => {
    await expect(connect().getJobStatus("9")).rejects.toMatchObject({ code: Code.NotFound });
    expect(server.callsOf("GetJobStatus")).toHaveLength(1);
  });

  test("gives up at its deadline, with the last error", async () => {
    failFirst(1_000, unavailable);
    await expect(connect({ timeoutMs: 300 }).getAllJobs()).rejects.toMatchObject({ code: Code.Unavailable });
    expect(server.callsOf("GetAllJobs").length).toBeGreaterThan(1);
  });

  test("waits as long as the server asks, and gives up at once when that is past the deadline", async () => {
    failFirst(1, () => unavailable({ "retry-after-ms": "1000" }));
    const started = performance.now();
    await connect().getAllJobs();
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
    failFirst(1, () => unavailable({ "retry-after": "60" }));
    await expect(connect().getAllJobs()).rejects.toMatchObject({ code: Code.Unavailable });
  });

  test("finds a server that comes back on the same port", async () => {
    const port = await refusingPort();
    const refused = Promise.withResolvers<void>();
    const noticing: typeof fetch = (...call) =>
      fetch(...call).catch((error: unknown) => {
        refused.resolve();
        throw error;
      });
    const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${port}`, fetch: noticing });
    const added = createClient({ transport, random: () => 0 }).addJob({ handler: "echo" });
    await refused.promise;
    const late = await startSmallJobServer(port);
    await expect(added).resolves.toMatchObject({ jobId: "1" });
    await late.close();
  });

  test("fails at once when nothing answers and it was told so", async () => {
    const client = createClient({
      baseUrl: `http://127.0.0.1:${await refusingPort()}`,
      retryUnreachable: false,
    });
    await expect(client.getCluster()).rejects.toBeInstanceOf(ConnectError);
  });

  test("takes a delete as done when its first try was, but its answer was lost", async () => {
    await connect().addJob({ handler: "echo" });
    failFirst(1, unavailable);
    await expect(connect().deleteJob("1")).resolves.toBeUndefined();
    await expect(connect().deleteJob("1")).rejects.toMatchObject({ code: Code.NotFound });
  });

  test("tries a trigger again under one key, so that the job runs once more and not twice", async () => {
    await connect().addJob({ handler: "echo" });
    failFirst(1, unavailable);
    expect(await connect().triggerJob("1")).toMatchObject({ jobId: "2", parentId: "1" });
    const keys = server.callsOf("TriggerJob").map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    expect((await connect().triggerJob("1")).jobId).toBe("3");
  });

  test("tries again to pause, to resume and to retry a job", async () => {
    const client = connect();
    await client.addJob({ handler: "fail" });
    for (const [method, status] of [
      ["pauseJob", "JOB_STATUS_PAUSED"],
      ["resumeJob", "JOB_STATUS_WAITING"],
      ["retryJob", "JOB_STATUS_RUNNING"],
    ] as const) {
      failFirst(1, unavailable);
      expect(await client[method]("1")).toMatchObject({ jobId: "1", status });
    }
  });

  test("tries a cancel again only when it says which occurrence it means", async () => {
    const client = connect();
    await client.addJob({ handler: "slow" });
    failFirst(1, unavailable);
    await expect(client.cancelJob("1")).rejects.toMatchObject({ code: Code.Unavailable });
    failFirst(1, () => unavailable({ "elastic-job-not-run": "1" }));
    expect(await client.cancelJob("1", { scheduledAt: "2030-01-01T00:00:00Z" })).toMatchObject({
      status: "JOB_STATUS_RUNNING",
    });
    failFirst(1, unavailable);
    const scheduledAt = new Date("2026-11-22T08:00:00.250Z");
    expect(await client.cancelJob("1", { scheduledAt })).toMatchObject({ status: "JOB_STATUS_CANCELLED" });
  });

  test("does not repeat an update that is bound to a revision", async () => {
    await connect().addJob({ handler: "echo" });
    failFirst(1, unavailable);
    const update = connect().updateJob({ jobId: "1", job: { name: "new" }, revision: 0 });
    await expect(update).rejects.toMatchObject({ code: Code.Unavailable });
    failFirst(1, () => unavailable({ "elastic-job-not-run": "1" }));
    await connect().updateJob({ jobId: "1", job: { name: "new" }, revision: 0 });
    expect(await connect().updateJob({ jobId: "1", job: { name: "new" } })).toMatchObject({ name: "new" });
  });
});

describe("reading", () => {
  test("walks through all pages", async () => {
    const client = connect();
    await client.addJobs(Array.from({ length: 7 }, () => ({ handler: "echo" })));
    const ids: string[] = [];
    for await (const job of client.eachJob({ pageSize: 3 })) ids.push(job.jobId);
    expect(ids).toEqual(["7", "6", "5", "4", "3", "2", "1"]);
    expect(server.callsOf("GetAllJobs")).toHaveLength(3);
    const outcomes: string[] = [];
    for await (const result of client.eachResult({ jobId: "2" })) outcomes.push(result.outcome);
    expect(outcomes).toEqual(["OUTCOME_SUCCEEDED"]);
  });

  test("writes out fields that hold their default", async () => {
    expect(await connect().getCluster()).toMatchObject({
      masterNodeId: "node-1",
      epoch: 7,
      nodes: [],
      running: 0,
    });
    expect(await connect().previewSchedule({ daily: { at: "08:30" } })).toEqual({
      occurrences: [{ time: "2026-11-22T08:00:00.250Z", note: "" }],
      timeZoneData: "2025b",
    });
  });

  test("refuses a token that no header carries, and does not say it", async () => {
    const error = await connect({ token: "s3cret\nb" })
      .getAllJobs()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: "token: has a character that no header carries; printable ASCII without spaces is accepted",
    });
  });

  test("sends the token", async () => {
    await connect({ token: "secret" }).getAllJobs();
    expect(server.calls[0]?.headers["authorization"]).toBe("Bearer secret");
  });
});

describe("watching", () => {
  test("opens the stream again when it is cut", async () => {
    const client = connect();
    await client.addJob({ handler: "slow" });
    const states = client.watchJob("1");
    await states.next();
    failFirst(1, unavailable);
    const job = server.jobs.get("1");
    if (job) job.status = 5;
    const next = states.next();
    await server.close();
    const port = server.port;
    const { jobs, before } = server;
    server = await startSmallJobServer(port);
    server.before = before;
    for (const [id, kept] of jobs) server.jobs.set(id, kept);
    expect((await next).value).toMatchObject({ job: { status: "JOB_STATUS_SUCCEEDED" } });
    expect((await states.next()).done).toBe(true);
  });

  test("ends the server's stream when the caller leaves the loop", async () => {
    const client = connect();
    await client.addJob({ handler: "slow" });
    for await (const _ of client.watchJob("1")) break;
    await expect.poll(() => server.watchSignals[0]?.aborted, { timeout: 5_000 }).toBe(true);
  });

  test("says so when there is no such job", async () => {
    await expect(connect().watchJob("9").next()).rejects.toMatchObject({ code: Code.NotFound });
  });

  describe("the log of a job", () => {
    test("is read page after page", async () => {
      const client = connect();
      const { jobId } = await client.addJob({ handler: "echo" });
      const page = await client.getJobLog({ jobId, pageSize: 2 });
      expect(page).toMatchObject({ claim: 1, running: false, nextPageToken: "2" });
      const lines = [];
      for await (const line of client.eachLogLine({ jobId, pageSize: 2 })) lines.push(line);
      expect(lines.map(({ sequence, text, level }) => [sequence, text, level])).toEqual([
        [1, "first", "LOG_LEVEL_INFO"],
        [2, "\u001b[31mtwo\nlines", "LOG_LEVEL_ERROR"],
        [3, "cut here", "LOG_LEVEL_WARN"],
      ]);
      expect(lines[0]?.fields).toEqual({ n: 1 });
    });

    test("is followed through a failover, each line once", async () => {
      const client = connect();
      const { jobId } = await client.addJob({ handler: "slow" });
      const opened: string[] = [];
      let sent = 0;
      server.before = (method) => {
        if (!method.startsWith("WatchJobLog")) return;
        if (method !== "WatchJobLog line") opened.push(method);
        else if (++sent === 2) throw new ConnectError("the node is gone", Code.Unavailable);
      };
      const sequences = [];
      for await (const { sequence } of client.watchJobLog(jobId)) sequences.push(sequence);
      expect(sequences).toEqual([1, 2, 3]);
      expect(opened).toEqual(["WatchJobLog 0 0", "WatchJobLog 1 2"]);
    });
  });
});

test("works over HTTP/2, and any other transport that it is given", async () => {
  const h2 = await startSmallJobServer(0, "2");
  const client = createClient({ transport: createHttp2Transport(h2.url) });
  await client.addJob({ handler: "echo" });
  for await (const { job } of client.watchJob("1")) expect(job.jobId).toBe("1");
  await h2.close();
});
