import { afterEach, describe, expect, test } from "vitest";
import type { Jobs } from "../../../src/jobs/define-jobs.ts";
import { type TestCluster, type TestClusterOptions, testCluster } from "../../../src/testing/index.ts";

const clusters: TestCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

async function start(
  options: Partial<Omit<TestClusterOptions, "jobs">> & { readonly jobs: Jobs },
): Promise<TestCluster> {
  const cluster = await testCluster({ at: "2026-03-28T00:00:00Z", seed: 7, nodes: 2, ...options });
  clusters.push(cluster);
  return cluster;
}

/** A handler that takes an hour, on a cluster that notes what has come to its end. */
async function withLongJob(options: Partial<Omit<TestClusterOptions, "jobs">>) {
  const effects: string[] = [];
  const cluster: TestCluster = await start({
    jobs: {
      long: async (_job, ctx) => {
        await cluster.clock.sleep("1h", ctx.signal);
        effects.push(`attempt ${ctx.attempt}`);
      },
    },
    ...options,
  });
  await cluster.client.addJob({ handler: "long" });
  await cluster.advance("10m");
  const ranOn = cluster.jobs()[0]?.nodeId ?? "";
  return { cluster, effects, ranOn };
}

describe("a node that crashes", () => {
  test.each([1, 2, 3, 4, 5, 6])("loses what it ran, which runs elsewhere at once (seed %i)", async (seed) => {
    const { cluster, effects, ranOn } = await withLongJob({ seed, nodes: 3 });
    cluster.crash(ranOn);
    expect(cluster.nodes).not.toContain(ranOn);
    await cluster.advance("10s");
    expect(cluster.results()).toMatchObject([
      { outcome: "OUTCOME_LOST", nodeId: ranOn, reason: "its node is gone" },
    ]);
    await cluster.advance("2h");
    expect(cluster.results().at(-1)).toMatchObject({ outcome: "OUTCOME_SUCCEEDED", attempt: 2 });
    // What ran in the process that died has done nothing more.
    expect(effects).toEqual(["attempt 2"]);
  });

  test("may be the master, in which case another one takes over", async () => {
    const { cluster } = await withLongJob({ nodes: 3 });
    const { masterNodeId } = await cluster.client.getCluster();
    cluster.crash(masterNodeId);
    const { jobId } = await cluster.client.addJob({ handler: "echo", payload: "after" });
    await cluster.advance("5s");
    expect(await cluster.client.getJobStatus(jobId)).toMatchObject({ lastResult: { output: "after" } });
    expect((await cluster.client.getCluster()).masterNodeId).not.toBe(masterNodeId);
  });

  test("under a call makes the client ask another one, and one job of it", async () => {
    const { cluster } = await withLongJob({ nodes: 3 });
    const { masterNodeId } = await cluster.client.getCluster();
    const adding = Array.from({ length: 20 }, (_, payload) =>
      cluster.client.addJob({ handler: "echo", payload }),
    );
    // Those are on their way to it.
    await Promise.resolve();
    cluster.crash(masterNodeId);
    await Promise.all(adding);
    await cluster.advance("10s");
    expect(cluster.jobs("echo").map(({ payload }) => payload)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    expect(cluster.results("echo")).toHaveLength(20);
  });

  test("comes back under its name, and takes jobs", async () => {
    const { cluster } = await withLongJob({ nodes: 1 });
    cluster.crash("node-1");
    await cluster.advance("1m");
    cluster.restart("node-1");
    await cluster.advance("2h");
    expect(cluster.results().map(({ outcome }) => outcome)).toEqual(["OUTCOME_LOST", "OUTCOME_SUCCEEDED"]);
    expect(cluster.nodes).toEqual(["node-1"]);
  });

  test("with all others is waited for as long as its lease and the lock say", async () => {
    const { cluster } = await withLongJob({ nodeLease: "6s", lockTtl: "3s" });
    for (const name of ["node-1", "node-2"]) cluster.crash(name);
    await expect(cluster.client.addJob({ handler: "long" })).rejects.toThrow(
      "no node lives; restart one, or add one",
    );
    await expect(cluster.settle()).rejects.toThrow("settle: no node lives; restart one, or add one");
    cluster.addNode();
    await cluster.advance("15s");
    expect(cluster.results()).toMatchObject([{ outcome: "OUTCOME_LOST" }]);
    expect(cluster.nodes).toEqual(["node-3"]);
  });

  test("must be there, and alive", async () => {
    const { cluster } = await withLongJob({});
    expect(() => cluster.crash("node-9")).toThrow(
      'crash: there is no node "node-9"; there are node-1, node-2',
    );
    expect(() => cluster.restart("")).toThrow('restart: there is no node ""; there are node-1, node-2');
    cluster.crash("node-2");
    expect(() => cluster.crash("node-2")).toThrow("crash: node-2 has crashed already; restart it first");
  });
});

describe("a node that is added", () => {
  test("takes the jobs that ask for its labels, of which it is told until then why they wait", async () => {
    const cluster = await start({ jobs: { train: () => "trained" } });
    const { jobId } = await cluster.client.addJob({
      handler: "train",
      name: "model",
      requirements: { labels: { gpu: "true" } },
    });
    await expect(cluster.settle()).rejects.toThrow(
      /^settle: job 1 "model" \(handler train\) is due and does not begin: no connected node that offers "train" carries the required labels$/,
    );
    expect(cluster.addNode({ labels: { gpu: "true" }, slots: 1 })).toBe("node-3");
    await cluster.settle();
    expect(cluster.results()).toMatchObject([{ jobId, nodeId: "node-3", output: "trained" }]);
  });

  test("runs no more at once than it has slots", async () => {
    let running = 0;
    let most = 0;
    const cluster: TestCluster = await start({
      nodes: 1,
      slots: 3,
      jobs: {
        work: async () => {
          most = Math.max(most, ++running);
          await cluster.clock.sleep("1m");
          running--;
        },
      },
    });
    await cluster.client.addJobs(Array.from({ length: 9 }, () => ({ handler: "work" })));
    await cluster.settle();
    expect(most).toBe(3);
    expect(cluster.results()).toHaveLength(9);
    expect(cluster.now().getTime()).toBe(Date.parse("2026-03-28T00:03:00Z"));
  });
});

/** Everything that can differ, in a cluster to which everything happens. */
async function history(seed: number): Promise<string> {
  const lines: string[] = [];
  const cluster: TestCluster = await start({
    seed,
    nodes: 3,
    slots: 4,
    log: (line) => lines.push(line),
    jobs: {
      work: async (job, ctx) => {
        await cluster.clock.sleep(job.payload, ctx.signal);
        if (ctx.attempt < 2) throw new Error("once more");
        return cluster.now();
      },
    },
  });
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      cluster.client.addJob({
        handler: "work",
        payload: index * 100,
        ...(index % 4 === 0 && { cron: { expression: "*/5 * * * *" }, jitter: "1m" as const }),
      }),
    ),
  );
  await cluster.advance("2m");
  cluster.crash("node-1");
  await cluster.advance("10m");
  cluster.restart("node-1");
  await cluster.advance("1h");
  return JSON.stringify([cluster.results(), cluster.jobs(), lines], (key, value) =>
    key === "stack" ? "" : value,
  );
}

describe("a seed", () => {
  test("gives the same run each time, to the last line of the log", async () => {
    const first = await history(7);
    expect(await history(7)).toBe(first);
    expect(first.length).toBeGreaterThan(10_000);
  });

  test("gives another run than another seed", async () => {
    expect(await history(7)).not.toBe(await history(8));
  });
});
