import { afterEach, describe, expect, test } from "vitest";
import type { HandlerContext, HandlerJob, Jobs } from "../../../src/jobs/define-jobs.ts";
import { type TestCluster, type TestClusterOptions, testCluster } from "../../../src/testing/index.ts";

const clusters: TestCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

async function start(options: Partial<TestClusterOptions> & { readonly jobs: Jobs }): Promise<TestCluster> {
  const cluster = await testCluster({ at: "2026-03-28T00:00:00Z", seed: 7, ...options });
  clusters.push(cluster);
  return cluster;
}

const outcomes = (cluster: TestCluster, handler?: string) =>
  cluster.results(handler).map(({ outcome }) => outcome.replace("OUTCOME_", ""));

describe("time", () => {
  test("begins when the test says, and does not pass by itself", async () => {
    const cluster = await start({ jobs: { report: () => null } });
    expect(cluster.now()).toEqual(new Date("2026-03-28T00:00:00Z"));
    await cluster.client.addJob({ handler: "report", timed: { delay: "1s" } });
    expect(cluster.now()).toEqual(new Date("2026-03-28T00:00:00Z"));
    expect(cluster.results()).toEqual([]);
  });

  test("passes by a duration, and until a moment, exactly", async () => {
    const cluster = await start({ jobs: { report: () => null } });
    await cluster.advance("1h30m");
    expect(cluster.now()).toEqual(new Date("2026-03-28T01:30:00Z"));
    await cluster.advance(250);
    expect(cluster.now()).toEqual(new Date("2026-03-28T01:30:00.250Z"));
    await cluster.advance({ until: "2026-03-29T00:00:00+01:00" });
    expect(cluster.now()).toEqual(new Date("2026-03-28T23:00:00Z"));
  });

  test("takes a daily job over the night in which the clocks change", async () => {
    const cluster = await start({ jobs: { report: (_job, ctx) => ctx.scheduledAt }, nodes: 2 });
    const daily = { at: "02:30", timeZone: "Europe/Berlin" };
    await cluster.client.addJob({ name: "nightly", handler: "report", daily });
    await cluster.advance("72h");
    expect(cluster.results("report")).toMatchObject(
      ["2026-03-28T01:30:00", "2026-03-29T01:00:00", "2026-03-30T00:30:00"].map((time) => ({
        outcome: "OUTCOME_SUCCEEDED",
        scheduledAt: `${time}Z`,
        startTime: `${time}Z`,
        endTime: `${time}Z`,
        output: `${time}.000Z`,
      })),
    );
    expect(cluster.jobs("report")).toMatchObject([
      { name: "nightly", status: "JOB_STATUS_WAITING", nextRunAt: "2026-03-31T00:30:00Z" },
    ]);
  });

  test("is as the master and its nodes have it after a long quiet time", async () => {
    const cluster = await start({ jobs: { report: () => "done" }, nodes: 2 });
    await cluster.client.addJob({ handler: "report", timed: { delay: "6d" } });
    await cluster.advance("7d");
    expect(cluster.results()).toMatchObject([
      { outcome: "OUTCOME_SUCCEEDED", startTime: "2026-04-03T00:00:00Z" },
    ]);
  });
});

describe("a handler", () => {
  test("takes no time but what it waits for by the cluster's clock", async () => {
    const cluster = await start({
      jobs: {
        report: async (job: HandlerJob, ctx: HandlerContext) => {
          const from = cluster.clock.now();
          await cluster.clock.sleep(job.payload.for, ctx.signal);
          return { from, to: cluster.clock.now() };
        },
      },
    });
    await cluster.client.addJob({ handler: "report", payload: { for: "2h" } });
    await cluster.advance("119m");
    expect(cluster.results()).toEqual([]);
    expect(cluster.jobs()).toMatchObject([{ status: "JOB_STATUS_RUNNING", nodeId: "node-1" }]);
    await cluster.advance("1m");
    expect(cluster.results()).toMatchObject([
      { output: { from: "2026-03-28T00:00:00.000Z", to: "2026-03-28T02:00:00.000Z" } },
    ]);
  });

  test("is given its payload as JSON, and gives its output as JSON", async () => {
    const cluster = await start({
      jobs: { report: ({ id, payload, payloadText }) => ({ id, payload, payloadText, left: undefined }) },
    });
    await cluster.client.addJob({ handler: "report", payload: { at: new Date(0).toJSON(), n: 1 } });
    await cluster.settle();
    const payload = { at: "1970-01-01T00:00:00.000Z", n: 1 };
    expect(cluster.results()[0]?.output).toEqual({ id: "1", payload, payloadText: JSON.stringify(payload) });
  });

  test("is timed out in virtual time, by its signal, and tried again", async () => {
    const reasons: unknown[] = [];
    const cluster = await start({
      jobs: {
        slow: async (_job, ctx) => {
          try {
            await cluster.clock.sleep(Number.POSITIVE_INFINITY, ctx.signal);
          } catch (error) {
            reasons.push([String(error), cluster.now().toJSON(), ctx.deadline?.toJSON()]);
            throw error;
          }
        },
      },
    });
    const retry = { maxAttempts: 2, initialBackoff: "10s" } as const;
    await cluster.client.addJob({ handler: "slow", timeout: "1m", retry });
    await cluster.advance("5m");
    expect(outcomes(cluster)).toEqual(["TIMED_OUT", "TIMED_OUT"]);
    const deadline = "2026-03-28T00:01:00.000Z";
    expect(reasons[0]).toEqual(["AbortError: the attempt has timed out", deadline, deadline]);
    expect(cluster.jobs()).toMatchObject([{ status: "JOB_STATUS_FAILED", attempt: 2 }]);
  });

  test("that ignores its abort is given up, and does nothing more", async () => {
    const effects: number[] = [];
    const cluster = await start({
      jobs: {
        deaf: async (_job, ctx) => {
          await cluster.clock.sleep("10m");
          effects.push(ctx.attempt);
        },
      },
    });
    await cluster.client.addJob({ handler: "deaf", timeout: "1m", retry: { maxAttempts: 1 } });
    await cluster.advance("1h");
    expect(cluster.results()).toMatchObject([
      { outcome: "OUTCOME_TIMED_OUT", endTime: "2026-03-28T00:01:01Z" },
    ]);
    expect(effects).toEqual([]);
  });

  test("that throws is tried again after the backoff of its policy", async () => {
    const cluster = await start({
      jobs: {
        flaky: (_job, ctx) => {
          if (ctx.attempt < 3) throw new Error("not yet");
          return ctx.attempt;
        },
      },
    });
    await cluster.client.addJob({ handler: "flaky", retry: { initialBackoff: "1m" } });
    await cluster.settle();
    expect(outcomes(cluster)).toEqual(["FAILED"]);
    await cluster.advance("10m");
    expect(outcomes(cluster)).toEqual(["FAILED", "FAILED", "SUCCEEDED"]);
    expect(cluster.results()[0]).toMatchObject({ error: { name: "Error", message: "not yet" } });
  });

  test("can add jobs by the cluster's client, beside one that is busy", async () => {
    const cluster = await start({
      jobs: {
        parent: async (job) => {
          await new Promise((resolve) => setTimeout(resolve, job.payload));
          return (await cluster.client.addJob({ handler: "child", payload: job.payload })).jobId;
        },
        child: (job) => job.payload,
      },
      nodes: 2,
    });
    for (const payload of [30, 10, 20]) await cluster.client.addJob({ handler: "parent", payload });
    await cluster.settle();
    // Which of them is added first is a matter of real time.
    const outputs = cluster.results("child").map(({ output }) => Number(output));
    expect(outputs.toSorted()).toEqual([10, 20, 30]);
    expect(cluster.now()).toEqual(new Date("2026-03-28T00:00:00Z"));
  });

  test("cannot move the time", async () => {
    const cluster = await start({ jobs: { report: () => cluster.advance("1h") } });
    await cluster.client.addJob({ handler: "report", retry: { maxAttempts: 1 } });
    await cluster.settle();
    expect(cluster.results()[0]?.error?.message).toBe(
      "advance: a handler cannot move the time; it waits for it by cluster.clock.sleep",
    );
  });

  test("that is built in sleeps in virtual time", async () => {
    const cluster = await start({ jobs: { report: () => null } });
    await cluster.client.addJob({ handler: "sleep", payload: { ms: 3_600_000 } });
    await cluster.client.addJob({ handler: "echo", payload: "hello" });
    await cluster.settle();
    expect(cluster.results().map(({ output }) => output)).toEqual(["hello", { sleptMs: 3_600_000 }]);
    expect(cluster.now()).toEqual(new Date("2026-03-28T01:00:00Z"));
  });

  test("of no name is run by runJob, where there is one", async () => {
    const cluster = await start({ jobs: { runJob: (job) => job.handler } });
    await cluster.client.addJob({ handler: "anything" });
    await cluster.settle();
    expect(cluster.results("anything")).toMatchObject([{ output: "anything" }]);
  });
});

describe("the client", () => {
  test("is the one that ships: it changes jobs, and is refused", async () => {
    const cluster = await start({ jobs: { report: () => null }, nodes: 2 });
    const { client } = cluster;
    await expect(client.addJob({ handler: "" })).rejects.toThrow(/handler: /);
    const { jobId } = await client.addJob({ handler: "report", cron: { expression: "0 * * * *" } });
    await client.pauseJob(jobId);
    await cluster.advance("5h");
    expect(cluster.results()).toEqual([]);
    await client.resumeJob(jobId);
    await cluster.advance("2h");
    // One row stands for all that were missed.
    expect(outcomes(cluster)).toEqual(["SKIPPED", "SUCCEEDED", "SUCCEEDED"]);
    await client.triggerJob(jobId);
    await cluster.settle();
    expect(cluster.results()).toHaveLength(4);
    await client.deleteJob(jobId);
    expect(cluster.jobs().map(({ parentId }) => parentId)).toEqual([jobId]);
    await expect(client.getJobStatus(jobId)).rejects.toThrow(/there is no job/);
  });

  test("watches a job while time is moved", async () => {
    const cluster = await start({ jobs: { report: () => cluster.clock.sleep("1h") } });
    const { jobId } = await cluster.client.addJob({ handler: "report", timed: { delay: "1h" } });
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { job } of cluster.client.watchJob(jobId)) seen.push(job.status);
    })();
    await cluster.advance("90m");
    expect(seen.at(-1)).toBe("JOB_STATUS_RUNNING");
    await cluster.advance("1h");
    await watching;
    expect(seen.at(-1)).toBe("JOB_STATUS_SUCCEEDED");
  });

  test("may make many calls at once", async () => {
    const cluster = await start({ jobs: { report: (job) => job.payload }, nodes: 3 });
    const adds = Array.from({ length: 200 }, (_, payload) =>
      cluster.client.addJob({ handler: "report", payload }),
    );
    await Promise.all([...adds, cluster.advance("1s")]);
    expect(cluster.results()).toHaveLength(200);
  });
});
