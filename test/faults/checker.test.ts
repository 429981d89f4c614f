import { describe, expect, test } from "vitest";
import { OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import { findViolations } from "../cluster/checker.ts";
import type { Effect } from "../cluster/effects-log.ts";
import { type Evidence, FinalRowWatch, type JobLine, type ResultLine } from "../cluster/evidence.ts";
import { specOf } from "../fixtures/job-fixture.ts";
import { PLANTED } from "../guarantees/planted.ts";
import type { SoundRun } from "../guarantees/sound-run.ts";

/** A whole minute: occurrences of a job that runs each second are multiples of 1000. */
const START = 1_800_000_000_000;
const NOW = START + 6_500;

function result(jobId: number, claim: number, change: Partial<ResultLine> = {}): ResultLine {
  return {
    jobId,
    claim,
    late: false,
    outcome: OUTCOME.SUCCEEDED,
    attempt: 1,
    scheduledAt: START,
    startTime: START,
    endTime: START + 5,
    retryAt: null,
    node: 1,
    epoch: 0,
    reason: "",
    skippedThrough: null,
    skippedCount: 0,
    ...change,
  };
}

function job(id: number, change: Partial<JobLine> = {}): JobLine {
  return {
    id,
    handler: "effect",
    parentId: 0,
    status: STORED_STATUS.SUCCEEDED,
    at: Number.MAX_SAFE_INTEGER,
    scheduledAt: START,
    claim: 1,
    lost: 0,
    createTime: START,
    updateTime: START,
    spec: specOf({ name: `job ${id}` }),
    ...change,
  };
}

function effect(jobId: number, claim: number, event: Effect["event"], change: Partial<Effect> = {}): Effect {
  return { event, jobId, claim, attempt: 1, scheduledAt: START, node: "n1", pid: 1, at: START, ...change };
}

function ran(jobId: number, claim: number, change: Partial<Effect> = {}): Effect[] {
  return [effect(jobId, claim, "start", change), effect(jobId, claim, "end", change)];
}

/** Job 1 ran once. Job 2 was lost once and ran again. Job 3 runs each second, and skipped two of five times. */
function soundRun(): Evidence {
  const cron = { kind: "cron", expression: "* * * * * *", timeZone: "UTC" } as const;
  const at = START + 6_000;
  return {
    jobs: [
      job(1),
      job(2, { claim: 2 }),
      job(3, {
        spec: specOf({ name: "job 3", schedule: cron }),
        status: STORED_STATUS.WAITING,
        claim: 4,
        at,
        scheduledAt: at,
      }),
    ],
    results: [
      result(1, 1),
      result(2, 1, { outcome: OUTCOME.LOST, retryAt: START + 10 }),
      result(2, 2, { attempt: 2 }),
      result(2, 1, { late: true }),
      result(3, 1, { scheduledAt: START + 1000 }),
      result(3, 2, {
        scheduledAt: START + 2000,
        outcome: OUTCOME.SKIPPED,
        node: 0,
        // When the last of those that were missed had fallen due.
        endTime: START + 4000,
        reason: "misfire",
        skippedThrough: START + 3000,
        skippedCount: 2,
      }),
      result(3, 3, { scheduledAt: START + 4000 }),
      result(3, 4, { scheduledAt: START + 5000 }),
    ],
    effects: [
      ...ran(1, 1),
      ...ran(2, 1),
      ...ran(2, 2),
      ...ran(3, 1, { scheduledAt: START + 1000 }),
      ...ran(3, 3, { scheduledAt: START + 4000 }),
      ...ran(3, 4, { scheduledAt: START + 5000 }),
    ],
    acknowledged: [1, 2, 3].map((jobId) => ({ jobId, name: `job ${jobId}` })),
    deleted: new Set(),
    seenRows: [],
    now: NOW,
  };
}

function without<T>(items: readonly T[], isGone: (item: T) => boolean): T[] {
  return items.filter((item) => !isGone(item));
}

/** The sound run, in the form in which breaches are planted. */
function plantable() {
  const { jobs, results, seenRows, effects, acknowledged, now } = soundRun();
  const run = {
    jobs,
    results,
    seenRows,
    effects: [...effects],
    acknowledged: [...acknowledged],
    now,
    once: 2,
    recurring: 3,
    start(jobId: number, claim: number, scheduledAt: number) {
      run.effects.push(effect(jobId, claim, "start", { scheduledAt }));
    },
    forgetStarts(jobId: number) {
      run.effects = without(run.effects, (one) => one.jobId === jobId);
    },
    acknowledge(jobId: number, name: string) {
      run.acknowledged.push({ jobId, name });
    },
  };
  return run satisfies SoundRun<JobLine, ResultLine>;
}

describe("the checker", () => {
  test("finds nothing wrong with a sound run", () => {
    expect(findViolations(soundRun())).toEqual([]);
  });

  test("lets a job be missing that the test has deleted", () => {
    const run = soundRun();
    const jobs = without(run.jobs, ({ id }) => id === 1);
    expect(
      findViolations({
        ...run,
        jobs,
        deleted: new Set([1]),
        results: without(run.results, ({ jobId }) => jobId === 1),
      }),
    ).toEqual([]);
  });

  test.each(PLANTED)("catches $name", ({ plant, says }) => {
    const run = plantable();
    plant(run);
    const { jobs, results, seenRows, effects, acknowledged } = run;
    const left = { ...soundRun(), jobs, results, seenRows, effects, acknowledged };
    expect(findViolations(left).join("\n")).toMatch(says);
  });

  test.each<[string, (run: Evidence) => Partial<Evidence>, RegExp]>([
    [
      "a run of skips that is cut short",
      (run) => ({
        results: run.results.map((row) => (row.skippedCount > 0 ? { ...row, skippedThrough: null } : row)),
      }),
      /G4: the occurrence 2027-01-15T08:00:03.000Z of job 3 is accounted for 0 times/,
    ],
    [
      "a recurring job that has stopped",
      (run) => ({ now: run.now + 60_000 }),
      /job 3: nothing is recorded since 1800000006000/,
    ],
  ])("catches %s", (_, plant, expected) => {
    const run = soundRun();
    expect(findViolations({ ...run, ...plant(run) }).join("\n")).toMatch(expected);
  });

  test("notices a final row that changes or goes, and none that comes", () => {
    const watch = new FinalRowWatch();
    const complaints = (results: ResultLine[]) =>
      findViolations({
        ...soundRun(),
        jobs: [job(1), job(2)],
        acknowledged: [],
        effects: [...ran(1, 1), ...ran(2, 1)],
        results,
        seenRows: watch.rows,
      });
    watch.look([result(1, 1)]);
    watch.look([result(1, 1), result(2, 1), result(1, 1, { late: true, endTime: 7 })]);
    expect(complaints([result(1, 1), result(2, 1)])).toEqual([]);
    watch.look([result(1, 1, { outcome: OUTCOME.LOST })]);
    // Though it is again what it was.
    expect(complaints([result(1, 1)])).toEqual([
      "G3: job 2, claim 1 has no final row",
      "G3: the final row of job 2, claim 1 is gone",
      expect.stringMatching(/^G3: the final row of job 1, claim 1 has changed from .*"outcome":5/),
      "G4: job 2 is at its end, and no row says how its occurrence ended",
    ]);
  });
});
