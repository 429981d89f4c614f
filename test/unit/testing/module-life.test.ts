import { expect, test } from "vitest";
import { defineJobs } from "../../../src/jobs/define-jobs.ts";
import { testCluster } from "../../../src/testing/index.ts";

test("handlers have what their module's setup gives, which is put away when the cluster stops", async () => {
  const done: string[] = [];
  const jobs = defineJobs(
    { use: (_job, { resources }) => `with ${resources.name}` },
    {
      setup: async () => {
        done.push("set up");
        return { name: "a pool" };
      },
      teardown: () => done.push("torn down"),
    },
  );
  const cluster = await testCluster({ jobs, nodes: 1, seed: 1 });
  await cluster.client.addJob({ handler: "use" });
  await cluster.client.addJob({ handler: "use" });
  await cluster.settle();
  expect(cluster.results("use").map(({ output }) => output)).toEqual(["with a pool", "with a pool"]);
  await cluster.stop();
  expect(done).toEqual(["set up", "torn down"]);
});

test("handlers say what they do to the cluster's log, and add jobs, once for all attempts", async () => {
  const lines: string[] = [];
  const cluster = await testCluster({
    jobs: {
      parent: async (_job, { log, add, attempt, progress }) => {
        log.warn("adding", { attempt });
        progress(0.5);
        await add("child", { of: 1 });
        if (attempt === 1) throw new Error("once more");
      },
      child: () => "done",
    },
    seed: 1,
    log: (line) => lines.push(line),
  });
  const { jobId } = await cluster.client.addJob({ handler: "parent" });
  await cluster.advance("1m");
  expect(cluster.results("parent").map(({ outcome }) => outcome)).toEqual([
    "OUTCOME_FAILED",
    "OUTCOME_SUCCEEDED",
  ]);
  expect(cluster.jobs("child")).toMatchObject([{ parentId: jobId, payload: { of: 1 } }]);
  expect(lines.filter((line) => line.includes("a job says")).join()).toMatch(
    /warn a job says .*"text":"adding"/,
  );
  await cluster.stop();
});
