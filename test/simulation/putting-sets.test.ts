/** Nodes put their modules' schedules while masters die under them: at the end there is one job of each. */
import { fromJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PutJobSetRequestSchema } from "../../src/gen/elasticjob/v1/job_service_pb.ts";
import { describeSet } from "../../src/rpc/conversion/put-set-request.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

const firstSeed = Number(process.env["SIMULATION_SEED"] ?? 1);
const runs = Number(process.env["SIMULATION_RUNS"] ?? 8);
const NAMES = Array.from({ length: 30 }, (_, index) => `s${index}`);

function requestOf(generation: number, names: readonly string[], hour: number) {
  const job = { handler: "work", cron: { expression: `0 ${hour} * * *` } };
  return fromJson(PutJobSetRequestSchema, {
    set: "billing",
    generation: String(generation),
    jobs: names.map((name) => ({ name, job })),
  });
}

test.each(Array.from({ length: runs }, (_, run) => firstSeed + run))(
  "makes one job of each, and the newest generation holds, though masters die (seed %i)",
  async (seed) => {
    const cluster = await SimulatedCluster.start({ seed, nodes: 5 });
    const random = cluster.random.fork();
    expect(await cluster.time.runUntil(() => cluster.master !== undefined, 20_000)).toBe(true);
    const old = requestOf(1, [...NAMES, "gone"], 1);
    const young = requestOf(2, [...NAMES, "added"], 2);
    for (let count = 0; count < 10; count++) {
      const request = count < 4 ? old : count < 6 ? young : random.pick([old, young]);
      cluster.time.after(random.between(0, 3_000), () =>
        cluster.ask((api) => api.putSet(describeSet(request, () => api.clusterTime()))),
      );
    }
    for (let count = 0; count < 3; count++) {
      await cluster.time.advance(random.between(100, 4_000));
      const { master } = cluster;
      if (master === undefined) continue;
      const { nodeId } = master;
      cluster.crash(master, random.chance(0.3));
      cluster.time.after(random.between(500, 3_000), () => cluster.startNode(nodeId));
    }
    expect(await cluster.time.runUntil(() => cluster.pendingCalls === 0, 120_000)).toBe(true);
    const { jobs } = await cluster.evidence();
    expect(jobs.map(({ spec }) => spec.name === "work" && spec.idempotencyKey).toSorted()).toEqual(
      [...NAMES, "added"].map((name) => `billing/${name}`).toSorted(),
    );
    for (const { spec } of jobs) expect(spec.schedule).toMatchObject({ expression: "0 2 * * *" });
  },
);
