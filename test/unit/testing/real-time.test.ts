/** What is real in a test: handlers that do real work, handlers that hang, fake timers, and the end. */
import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type TestCluster, type TestClusterOptions, testCluster } from "../../../src/testing/index.ts";

const clusters: TestCluster[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

async function start(options: TestClusterOptions): Promise<TestCluster> {
  const cluster = await testCluster({ at: "2026-03-28T00:00:00Z", seed: 7, ...options });
  clusters.push(cluster);
  return cluster;
}

test("a handler that reads a file is waited for, and no virtual time passes", async () => {
  const cluster = await start({
    jobs: { read: async () => (await readFile(import.meta.filename, "utf8")).length },
  });
  await cluster.client.addJob({ handler: "read", cron: { expression: "* * * * *" } });
  await cluster.advance("3m");
  const found = cluster.results("read");
  expect(found.map(({ startTime }) => startTime)).toEqual(found.map(({ endTime }) => endTime));
  expect(found).toHaveLength(3);
});

test("handlers that are done with real work in any order have their results in the order of their calls", async () => {
  const cluster = await start({
    jobs: {
      wait: async (job) => new Promise((resolve) => setTimeout(() => resolve(job.payload), job.payload)),
    },
  });
  for (const payload of [40, 5, 20]) await cluster.client.addJob({ handler: "wait", payload });
  await cluster.settle();
  expect(cluster.results().map(({ output }) => output)).toEqual([40, 5, 20]);
});

test("a handler that does not come back is named, with its job", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cluster = await start({ jobs: { hang: () => promise }, handlerLimitMs: 50 });
  await cluster.client.addJob({ handler: "hang", name: "nightly", timed: { delay: "1h" } });
  await expect(cluster.advance("2h")).rejects.toThrow(
    /^handler hang has not come back within 50 ms of real time \(job 1 "nightly", attempt 1, on node-1\), and virtual time waits for it\. .*cluster\.clock\.sleep/,
  );
  resolve();
  await cluster.settle();
  expect(cluster.results("hang")).toMatchObject([{ outcome: "OUTCOME_SUCCEEDED" }]);
});

test("a handler can wait for what the test settles, while time passes", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const cluster = await start({ jobs: { wait: () => cluster.clock.wait(promise) } });
  await cluster.client.addJob({ handler: "wait" });
  await cluster.advance("1h");
  expect(cluster.jobs()).toMatchObject([{ status: "JOB_STATUS_RUNNING" }]);
  resolve("at last");
  await cluster.settle();
  expect(cluster.results()).toMatchObject([{ output: "at last", endTime: "2026-03-28T01:00:00Z" }]);
});

test("a test's fake timers do not stop the cluster", async () => {
  const cluster = await start({ jobs: { report: () => cluster.clock.sleep("1h") } });
  vi.useFakeTimers();
  await cluster.client.addJob({ handler: "report" });
  await cluster.settle();
  expect(cluster.results()).toMatchObject([{ endTime: "2026-03-28T01:00:00Z" }]);
});

describe("the end", () => {
  test("aborts what runs, and refuses what comes after it", async () => {
    const ends: string[] = [];
    const cluster = await start({
      jobs: {
        long: async (_job, ctx) => {
          await cluster.clock.sleep("1h", ctx.signal).catch((error) => ends.push(String(error)));
        },
      },
    });
    await cluster.client.addJob({ handler: "long" });
    await cluster.advance("1m");
    await cluster.stop();
    await cluster.stop();
    expect(ends).toEqual(["AbortError: the cluster has been stopped"]);
    await expect(cluster.advance("1m")).rejects.toThrow("the cluster has been stopped");
    await expect(cluster.client.addJob({ handler: "long" })).rejects.toThrow("the cluster has been stopped");
    expect(() => cluster.addNode()).toThrow("the cluster has been stopped");
    expect(cluster.jobs()).toMatchObject([{ status: "JOB_STATUS_RUNNING" }]);
  });

  test("comes with `await using`", async () => {
    let left: TestCluster;
    {
      await using cluster = await testCluster({ jobs: { report: () => null } });
      left = cluster;
    }
    await expect(left.advance(1)).rejects.toThrow("the cluster has been stopped");
  });
});
