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
