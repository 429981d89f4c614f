/** Plants each violation in what a flawless run left behind, and sees it caught. */
import { describe, expect, test } from "vitest";
import { type JobRecord, OUTCOME, type ResultRecord, STORED_STATUS } from "../../src/core/job.ts";
import { PLANTED } from "../guarantees/planted.ts";
import type { SoundRun } from "../guarantees/sound-run.ts";
import { violations } from "./check.ts";
import type { Evidence } from "./evidence.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

/** A job that succeeded at once, and one that recurs, from a run in which nothing failed. */
const flawless = await (async () => {
  const cluster = await SimulatedCluster.start({ seed: 1, nodes: 2 });
  await cluster.time.advance(2000);
  cluster.add({ kind: "immediate" }, { ms: 100, failures: 1 });
  cluster.add({ kind: "cron", expression: "*/5 * * * * *", timeZone: "UTC" }, { ms: 100 });
  await cluster.time.advance(12_000);
  return cluster.expectRest();
})();

function jobOf(kind: "immediate" | "cron"): JobRecord {
  const job = flawless.jobs.find(({ spec }) => spec.schedule.kind === kind);
  if (job === undefined) throw new Error("no such job");
  return job;
}
const once = jobOf("immediate");
const recurring = jobOf("cron");

function rowOf(job: JobRecord, claim: number): ResultRecord {
  const row = flawless.results.find((result) => result.jobId === job.id && result.claim === claim);
  if (row === undefined) throw new Error("no such row");
  return row;
}

function withJob(job: JobRecord, change: Partial<JobRecord>): Partial<Evidence> {
  return { jobs: flawless.jobs.map((other) => (other === job ? { ...job, ...change } : other)) };
}

function withRow(row: ResultRecord, change: Partial<ResultRecord>): Partial<Evidence> {
  return {
    results: flawless.results.map((other) => (other === row ? { ...row, ...change } : other)),
    seenRows: [],
  };
}

function soundRun() {
  const run = {
    jobs: flawless.jobs,
    results: flawless.results,
    seenRows: flawless.seenRows,
    executions: flawless.executions,
    acknowledged: new Map(flawless.acknowledged),
    now: flawless.now,
    once: once.id,
    recurring: recurring.id,
    start(jobId: number, claim: number, scheduledAt: number) {
      const call = { jobId, claim, scheduledAt, nodeId: "n0", startedAt: 90_000, endedAt: 90_001 };
      run.executions = [...run.executions, { ...call, wasAbandoned: false }];
    },
    forgetStarts(jobId: number) {
      run.executions = run.executions.filter((call) => call.jobId !== jobId);
    },
    acknowledge(jobId: number, add: string) {
      run.acknowledged.set(jobId, add);
    },
  };
  return run satisfies SoundRun<JobRecord, ResultRecord>;
}

const execution = { jobId: once.id, scheduledAt: once.scheduledAt, nodeId: "n0", wasAbandoned: false };

/** What the shared rules can't see. */
const planted: Record<string, { readonly change: Partial<Evidence>; readonly says: RegExp }> = {
  "an acknowledged job that is gone": {
    change: { jobs: flawless.jobs.filter((job) => job !== once) },
    says: /G1: .* is missing/,
  },
  "two executions of a job at once": {
    change: {
      executions: [
        { ...execution, claim: 1, startedAt: 100, endedAt: 200 },
        { ...execution, nodeId: "n1", claim: 2, startedAt: 150, endedAt: 250 },
      ],
    },
    says: /G7: .* ran at once/,
  },
  "an older claim that started after a newer one": {
    change: {
      executions: [
        { ...execution, claim: 1, startedAt: 300, endedAt: 400 },
        { ...execution, nodeId: "n1", claim: 2, startedAt: 150, endedAt: 250 },
      ],
      freezes: [{ nodeId: "n0", from: 0, to: 300 }],
    },
    says: /G7: .* although claim 2/,
  },
  "a job that memory had missed": {
    change: { alarms: ["n0: memory had missed an overdue job"] },
    says: /missed/,
  },
};

describe("the books of a recurring job", () => {
  const skipped = (reason: string, change: Partial<ResultRecord> = {}) =>
    withRow(rowOf(recurring, 1), { outcome: OUTCOME.SKIPPED, node: 0, reason, skippedCount: 1, ...change });
  const asked = (change: Partial<JobRecord["spec"]>) => ({ ...recurring.spec, ...change });
  const wrong: Record<string, { readonly change: Partial<Evidence>; readonly says: RegExp }> = {
    "an end of what is no occurrence": {
      change: withRow(rowOf(recurring, 1), { scheduledAt: rowOf(recurring, 1).scheduledAt + 1 }),
      says: /which is no occurrence/,
    },
    "a gap in a zone without one": { change: skipped("gap"), says: /shown by the wall clock/ },
    "a pause that nobody asked for": { change: skipped("paused"), says: /nobody paused/ },
    "a deadline that was not set": { change: skipped("deadline"), says: /has no deadline/ },
    "an overlap with nothing": { change: skipped("overlap"), says: /nothing ran then/ },
    "a misfire that was in time": {
      change: skipped("misfire", { endTime: rowOf(recurring, 1).scheduledAt }),
      says: /was in time/,
    },
    "a misfire though all were to run": {
      change: {
        ...skipped("misfire"),
        jobs: flawless.jobs.map((job) =>
          job === recurring ? { ...job, spec: asked({ misfire: "all" }) } : job,
        ),
      },
      says: /all were to run/,
    },
    "a misfire while jobs were given out": {
      change: {
        ...skipped("misfire", { endTime: rowOf(recurring, 1).scheduledAt + 70_000 }),
        outages: [],
      },
      says: /it could have run/,
    },
    "a misfire after a cancelled run whose node lived": {
      change: {
        results: flawless.results.map((row) => {
          if (row === rowOf(recurring, 1)) return { ...row, outcome: OUTCOME.CANCELLED };
          if (row !== rowOf(recurring, 2)) return row;
          const endTime = row.scheduledAt + 70_000;
          const change = { outcome: OUTCOME.SKIPPED, node: 0, reason: "misfire", skippedCount: 1 };
          return { ...row, ...change, startTime: endTime, endTime };
        }),
        seenRows: [],
        outages: [],
      },
      says: /it could have run/,
    },
    "a reason that there is not": { change: skipped("bored"), says: /no such reason/ },
    "a count that is not the range's": {
      change: skipped("misfire", { skippedCount: 2 }),
      says: /says that it skipped 2/,
    },
    "a start before its time": {
      change: withRow(rowOf(recurring, 1), { startTime: rowOf(recurring, 1).scheduledAt - 1000 }),
      says: /before its time/,
    },
    "a job of its own beside the row": {
      change: {
        jobs: [
          ...flawless.jobs,
          {
            ...once,
            id: 999,
            claim: 0,
            parentId: recurring.id,
            spec: { ...once.spec, schedule: { kind: "timed", runAt: rowOf(recurring, 1).scheduledAt } },
          },
        ],
      },
      says: /accounted for 2 times/,
    },
    "a cancel that nobody asked for": {
      change: {
        ...withRow(rowOf(once, 2), { outcome: OUTCOME.CANCELLED }),
        ...withJob(once, { status: STORED_STATUS.CANCELLED }),
      },
      says: /nobody asked for it/,
    },
  };
  for (const [name, { change, says }] of Object.entries(wrong)) {
    test(`do not take ${name}`, () => {
      expect(violations({ ...flawless, ...change }).join("\n")).toMatch(says);
    });
  }
});

describe("the checker", () => {
  test("finds nothing in a flawless run", () => {
    expect(violations(flawless)).toEqual([]);
  });

  test.each(PLANTED)("catches $name", ({ plant, says }) => {
    const run = soundRun();
    plant(run);
    const { jobs, results, seenRows, executions, acknowledged } = run;
    const left = { ...flawless, jobs, results, seenRows, executions, acknowledged };
    expect(violations(left).join("\n")).toMatch(says);
  });

  for (const [name, { change, says }] of Object.entries(planted)) {
    test(`catches ${name}`, () => {
      expect(violations({ ...flawless, ...change }).join("\n")).toMatch(says);
    });
  }

  test("does not blame a process that was stopped for what it overlaps", () => {
    const executions = [
      { ...execution, claim: 1, startedAt: 100, endedAt: 20_100 },
      { ...execution, nodeId: "n1", claim: 2, startedAt: 10_000, endedAt: 10_100 },
    ];
    const freezes = [{ nodeId: "n0", from: 200, to: 20_000 }];
    const others = flawless.executions.filter(({ jobId }) => jobId !== once.id);
    expect(violations({ ...flawless, executions: [...others, ...executions], freezes })).toEqual([]);
  });
});
