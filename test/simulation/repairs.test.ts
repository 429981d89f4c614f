/** What no fault of the simulation brings about by chance often enough: each is staged. */
import { describe, expect, test } from "vitest";
import { ElasticJobError } from "../../src/core/errors.ts";
import {
  NO_BOUNDS,
  type OccurrenceState,
  OUTCOME,
  type ResultRecord,
  STORED_STATUS,
} from "../../src/core/job.ts";
import { Queues } from "../../src/core/queues/queues.ts";
import { Mastership } from "../../src/master/mastership.ts";
import { JobMemory } from "../../src/master/memory/job-memory.ts";
import type { Pages } from "../../src/master/memory/pages.ts";
import { Turn } from "../../src/master/memory/turn.ts";
import { ResultWriter } from "../../src/node/result-writer.ts";
import type { JobStore } from "../../src/store/job-store.ts";
import { systemClock } from "../../src/system-clock.ts";
import { Gate, ProcessClock, VirtualTime } from "../../src/testing/virtual-clock.ts";
import { recordOf, resultOf } from "../fixtures/job-fixture.ts";
import { silentLogger } from "../fixtures/silent-logger.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

async function withMaster(): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start({ seed: 1, nodes: 2 });
  expect(await cluster.time.runUntil(() => cluster.master !== undefined, 10_000)).toBe(true);
  await cluster.time.advance(1000);
  return cluster;
}

describe("a claim for nobody whose master died before it wrote the row", () => {
  test("leaves the job as it was, due when it was, with no attempt and no loss", async () => {
    const cluster = await withMaster();
    cluster.add({ kind: "timed", runAt: cluster.now + 60_000 }, { ms: 100 });
    await cluster.time.advance(1000);
    const [before] = (await cluster.evidence()).jobs;
    const { master } = cluster;
    if (before === undefined || master === undefined) throw new Error("no job, or no master");
    const { epoch } = await cluster.raw.readMastership();
    cluster.crash(master);
    const claim = { jobId: before.id, claim: 1, revision: before.revision };
    expect(await cluster.raw.claimJobs(epoch, 0, [claim], cluster.now)).toBe(1);
    await cluster.time.advance(20_000);
    const between = await cluster.evidence();
    expect(between.jobs[0]).toMatchObject({
      status: STORED_STATUS.WAITING,
      at: before.at,
      attempt: 0,
      lost: 0,
    });
    expect(between.results).toMatchObject([
      { outcome: OUTCOME.LOST, node: 0, attempt: 0, retryAt: before.at },
    ]);
    const { jobs } = await cluster.expectRest();
    expect(jobs[0]).toMatchObject({ status: STORED_STATUS.SUCCEEDED, attempt: 1 });
  });
});

describe("a claim that memory believes to run, and nobody holds", () => {
  test("is found by the sweep, and LOST", async () => {
    const cluster = await withMaster();
    cluster.add({ kind: "immediate" }, { ms: 600_000 });
    await cluster.time.advance(1000);
    const now = cluster.master?.elector.now();
    if (now?.kind !== "master") throw new Error("no master");
    const { api } = now;
    if (!(api instanceof Mastership)) throw new Error("another kind of master");
    for (const session of api["nodes"].all()) api["clusterReader"]["parts"].holders.dropAll(session.number);
    await cluster.time.advance(100_000);
    const { results, alarms } = await cluster.evidence();
    expect(results[0]).toMatchObject({ outcome: OUTCOME.LOST, claim: 1 });
    expect(alarms.join()).toMatch(/nobody held/);
  });
});

describe("a child that was added by a master that died before the parent went on", () => {
  test.each(["skipped", "cancelled"])("is the occurrence's only end, though it would be %s", async (how) => {
    const cluster = await withMaster();
    const deadlineMs = how === "skipped" ? 1000 : null;
    const bounds = { ...NO_BOUNDS, endAt: cluster.now + 120_000, lastAt: cluster.now + 120_000 };
    const schedule = { kind: "cron", expression: "*/30 * * * * *", timeZone: "UTC" } as const;
    cluster.add(schedule, { ms: 100 }, { overlap: "allow", deadlineMs, bounds });
    await cluster.time.advance(1000);
    const [parent] = (await cluster.evidence()).jobs;
    if (parent === undefined) throw new Error("no job");
    // From now on the parent can't go on.
    const { raw } = cluster;
    const { changeJob } = raw;
    raw.changeJob = async (epoch, change) => {
      if (change.row.scheduledAt !== parent.scheduledAt)
        throw new ElasticJobError("unavailable", "no answer");
      return changeJob(epoch, change);
    };
    await cluster.time.advance(parent.at - cluster.now + 1000);
    for (const node of [...cluster.nodes]) cluster.crash(node);
    expect((await cluster.evidence()).jobs).toHaveLength(2);
    raw.changeJob = changeJob;
    await cluster.time.advance(4000);
    for (const { nodeId } of [...cluster.nodes]) cluster.startNode(nodeId);
    if (how === "cancelled") {
      // Before it is looked at.
      const isMaster = () => cluster.master !== undefined;
      expect(await cluster.time.runUntil(isMaster, 20_000)).toBe(true);
      cluster.control("cancel", parent.id);
    }
    await cluster.time.advance(150_000);
    const { results } = await cluster.expectRest();
    const ofParent = results.filter(({ jobId }) => jobId === parent.id);
    expect(ofParent.filter(({ scheduledAt }) => scheduledAt === parent.scheduledAt)).toEqual([]);
  });
});

describe("a caller's change whose outcome is unknown", () => {
  test("is known to memory, though the caller's next try finds nothing left to do", async () => {
    const cluster = await withMaster();
    cluster.add({ kind: "cron", expression: "*/5 * * * * *", timeZone: "UTC" }, { ms: 100 });
    await cluster.time.advance(1000);
    const jobId = cluster.control("pause");
    await cluster.time.advance(20_000);
    const { raw } = cluster;
    const { changeJob } = raw;
    raw.changeJob = async (epoch, change) => {
      raw.changeJob = changeJob;
      await changeJob(epoch, change);
      throw new ElasticJobError("unavailable", "no answer");
    };
    cluster.control("resume", jobId);
    await cluster.expectRest();
  });
});

describe("a running attempt that is cancelled, whose handler ignores the abort", () => {
  const everyFive = { kind: "cron", expression: "*/5 * * * * *", timeZone: "UTC" } as const;

  /** While it runs: on a node that is not master. */
  async function running() {
    const cluster = await withMaster();
    const { master, follower } = cluster;
    if (master === undefined || follower === undefined) throw new Error("no master, or no follower");
    const bounds = { ...NO_BOUNDS, endAt: cluster.now + 60_000, lastAt: cluster.now + 60_000 };
    // So that the other node has more room.
    cluster.add({ kind: "immediate" }, { ms: 8000 });
    await cluster.time.advance(100);
    cluster.add(everyFive, { ms: 20_000, ignoresAbort: true }, { bounds });
    await cluster.time.advance(12_000);
    const execution = (await cluster.evidence()).executions.find(({ jobId }) => jobId === 2);
    expect(execution).toMatchObject({ nodeId: follower.nodeId, endedAt: null });
    return { cluster, master, follower };
  }

  async function expectNextAfterwards(cluster: SimulatedCluster) {
    const { executions, results } = await cluster.expectRest();
    const [first, second] = executions.filter(({ jobId }) => jobId === 2);
    const final = results.filter(({ jobId, claim, late }) => jobId === 2 && claim === 1 && !late);
    expect(final).toMatchObject([{ outcome: OUTCOME.CANCELLED }]);
    expect(second?.startedAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.POSITIVE_INFINITY);
    return first?.endedAt ?? Number.POSITIVE_INFINITY;
  }

  test("is followed by the next occurrence only when it has ended", async () => {
    const { cluster } = await running();
    cluster.control("cancel", 2);
    await expectNextAfterwards(cluster);
  });

  test.each([20, 100, 300])("nor does a master that takes over after %i ms go on before that", async (ms) => {
    const { cluster, master } = await running();
    cluster.control("cancel", 2);
    await cluster.time.advance(ms);
    cluster.crash(master);
    await expectNextAfterwards(cluster);
  });

  test("is aborted by the next master when the one that was asked could not tell its node", async () => {
    const { cluster, master, follower } = await running();
    cluster.network.cut(master.address, follower.address);
    cluster.control("cancel", 2);
    await cluster.time.advance(100);
    cluster.crash(master);
    cluster.heal();
    const crashedAt = cluster.time.now;
    // By itself it would have gone on for 13 s.
    expect(await expectNextAfterwards(cluster)).toBeLessThan(crashedAt + 10_000);
  });

  test("is over when its node is gone for its lease", async () => {
    const { cluster, follower } = await running();
    cluster.control("cancel", 2);
    await cluster.time.advance(100);
    cluster.isolate(follower, { nodes: true, redis: true, database: true });
    await cluster.time.advance(20_000);
    expect((await cluster.evidence()).jobs.find(({ id }) => id === 2)?.claim).toBeGreaterThan(1);
    cluster.heal();
    await expectNextAfterwards(cluster);
  });
});

describe("the answer to an insert that comes late", () => {
  function memory() {
    const pages: Pick<Pages, "touch" | "admits"> = { touch: () => {}, admits: () => true };
    const changed = { changed: () => {} };
    return new JobMemory({
      queues: new Queues(),
      pages: pages as Pages,
      changedJobs: changed as never,
      turn: new Turn(systemClock),
    });
  }

  test("puts the job into waiting", () => {
    const jobs = memory();
    jobs.expect(1);
    jobs.placeNew(recordOf());
    expect(jobs.queues.get(1)?.place).toBe("waiting");
  });

  test("does not undo what became of the job meanwhile", () => {
    const jobs = memory();
    jobs.expect(1);
    jobs.run(recordOf({ status: STORED_STATUS.RUNNING, claim: 1 }));
    jobs.placeNew(recordOf());
    expect(jobs.queues.get(1)?.place).toBe("running");
    jobs.expect(2);
    jobs.place(recordOf({ id: 2, status: STORED_STATUS.SUCCEEDED, claim: 1 }));
    jobs.placeNew(recordOf({ id: 2 }));
    expect(jobs.queues.get(2)).toBeUndefined();
  });
});

describe("a result that the database refuses", () => {
  test("is FAILED with the database's message, and holds up no other", async () => {
    const time = new VirtualTime();
    const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 0 });
    const stored: ResultRecord[] = [];
    const store: Partial<JobStore> = {
      writeResults: async (rows) => {
        if (rows.some(({ output }) => output === "bad")) {
          throw new ElasticJobError("invalid_argument", "refused a value");
        }
        stored.push(...rows);
        return rows.map(() => "first" as const);
      },
      projectJobs: async (projections) => projections.map(() => true),
    };
    const writer = new ResultWriter({ store: store as JobStore, clock, logger: silentLogger });
    const told: OccurrenceState["status"][] = [];
    for (let jobId = 1; jobId <= 5; jobId++) {
      const row = rowOf(jobId, jobId === 3 ? "bad" : "good");
      writer.add({
        row,
        state: stateOf(STORED_STATUS.SUCCEEDED),
        revision: 0,
        asFailed: (error) => ({
          row: { ...row, outcome: OUTCOME.FAILED, output: null, error },
          state: stateOf(STORED_STATUS.FAILED),
          whyOver: "its error is permanent",
        }),
        whyOver: "",
        becameFinal: () => {},
        written: (_, { status }) => told.push(status),
      });
    }
    await time.advance(1000);
    expect(told).toHaveLength(5);
    const refused = stored.find(({ jobId }) => jobId === 3);
    expect(refused).toMatchObject({ outcome: OUTCOME.FAILED, output: null });
    expect(refused?.error?.message).toMatch(/refused a value/);
    expect(told.filter((status) => status === STORED_STATUS.FAILED)).toHaveLength(1);
    expect(stored.filter(({ outcome }) => outcome === OUTCOME.SUCCEEDED)).toHaveLength(4);
  });
});

function stateOf(status: OccurrenceState["status"]): OccurrenceState {
  return { ...recordOf(), status };
}

function rowOf(jobId: number, output: string): ResultRecord {
  return resultOf({ jobId, output, scheduledAt: 0, startTime: 0, endTime: 1 });
}
