import { describe, expect, test } from "vitest";
import { type TestClusterOptions, testCluster } from "../../../src/testing/index.ts";

const jobs = { report: () => null };

describe("an option that cannot be is named, with what would be accepted", () => {
  test.each<[object, string]>([
    [{ jobs: undefined }, "jobs: it is undefined; write `export default defineJobs({ … })`"],
    [{ jobs: {} }, "jobs: it holds no handlers"],
    [{ jobs: { report: 1 } }, "jobs: defineJobs: report is of type number; it must be a function"],
    [{ at: "yesterday" }, 'at: "yesterday" is no moment; a Date is accepted'],
    [{ at: "2026-03-28T00:00:00" }, 'at: "2026-03-28T00:00:00" is no moment'],
    [{ at: new Date(Number.NaN) }, "at: Invalid Date is no moment"],
    [{ node: 3 }, 'testCluster: there is no option "node"; there are jobs, at, nodes, slots'],
    [{ nodes: 0 }, "nodes: 0 is not accepted; a whole number from 1 to 100 is"],
    [{ nodes: 1.5 }, "nodes: 1.5 is not accepted"],
    [{ slots: -1 }, "slots: -1 is not accepted; a whole number from 0 to 10000 is"],
    [{ seed: "7" }, "seed: 7 is not accepted; a whole number"],
    [{ labels: { gpu: true } }, "labels.gpu: is of type boolean; a text is accepted"],
    [{ handlerLimitMs: 0 }, "handlerLimitMs: 0 is not accepted"],
    [{ nodeLease: "1 minute" }, 'nodeLease: "1 minute" is no duration; milliseconds are accepted, or 500ms'],
    [{ nodeLease: "10ms", lockTtl: "1s" }, "nodeLease: 10ms is too short; 1000 ms or more is accepted"],
    [{ nodeLease: "10s", lockTtl: "10s" }, "nodeLease: is too short; more than lockTtl is accepted"],
  ])("%o", async (options, message) => {
    await expect(testCluster({ jobs, ...options } as TestClusterOptions)).rejects.toThrow(message);
  });
});

describe("a call that cannot be says why", () => {
  test("of a duration, a moment, and a handler's name", async () => {
    await using cluster = await testCluster({ jobs });
    await expect(cluster.advance("24 hours")).rejects.toThrow('advance: "24 hours" is no duration');
    await expect(cluster.advance(-1)).rejects.toThrow("advance: -1 is no duration");
    await expect(cluster.advance(Number.NaN)).rejects.toThrow("advance: NaN is no duration");
    await expect(cluster.advance({ until: "2025-12-31T00:00:00Z" })).rejects.toThrow(
      "until: 2025-12-31T00:00:00.000Z is past; it is 2026-01-01T00:00:00.000Z already",
    );
    await expect(cluster.clock.sleep("soon")).rejects.toThrow('sleep: "soon" is no duration');
    expect(() => cluster.addNode({ label: {} } as object)).toThrow(
      'addNode: there is no option "label"; there are slots, labels',
    );
    await expect(testCluster(undefined as never)).rejects.toThrow("testCluster: is given no options");
    expect(() => cluster.results("reprot")).toThrow(
      'results: there is no handler "reprot"; there are echo, fail, sleep, report',
    );
    expect(() => cluster.jobs("reprot")).toThrow('jobs: there is no handler "reprot"');
  });
});
