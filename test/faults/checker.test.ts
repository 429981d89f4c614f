import { describe, expect, test } from "vitest";
import { OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import { findViolations } from "../cluster/checker.ts";
import type { Effect } from "../cluster/effects-log.ts";
import { type Evidence, FinalRowWatch, type JobLine, type ResultLine } from "../cluster/evidence.ts";

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
    name: `job ${id}`,
    handler: "effect",
    status: STORED_STATUS.SUCCEEDED,
    at: Number.MAX_SAFE_INTEGER,
    scheduledAt: START,
    claim: 1,
    lost: 0,
    createTime: START,
    updateTime: START,
    schedule: { kind: "immediate" },
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
      job(3, { schedule: cron, status: STORED_STATUS.WAITING, claim: 4, at, scheduledAt: at }),
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
    changedRows: [],
    now: NOW,
  };
}

function without<T>(items: readonly T[], isGone: (item: T) => boolean): T[] {
  return items.filter((item) => !isGone(item));
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

  test.each<[string, (run: Evidence) => Partial<Evidence>, RegExp]>([
    [
      "an acknowledged job that is missing",
      (run) => ({ acknowledged: [...run.acknowledged, { jobId: 9, name: "job 9" }] }),
      /job 9 .* is missing/,
    ],
    [
      "an add that was stored twice",
      (run) => ({
        jobs: [...run.jobs, job(4, { name: "job 1" })],
        results: [...run.results, result(4, 1)],
        effects: [...run.effects, ...ran(4, 1)],
      }),
      /added once, and is stored as jobs 1 and 4/,
    ],
    [
      "an add that was acknowledged under two ids",
      (run) => ({ acknowledged: [...run.acknowledged, { jobId: 2, name: "job 1" }] }),
      /acknowledged as jobs 1 and 2/,
    ],
    [
      "a claim that was started twice",
      (run) => ({ effects: [...run.effects, effect(1, 1, "start", { node: "n2", pid: 2 })] }),
      /job 1, claim 1 was started 2 times/,
    ],
    [
      "a start without a claim",
      (run) => ({ effects: [...run.effects, effect(1, 2, "start")] }),
      /job 1, claim 2 was started without a claim/,
    ],
    [
      "a start of a job that does not exist",
      (run) => ({ effects: [...run.effects, effect(9, 1, "start")] }),
      /job 9, claim 1 was started, and there is no such job/,
    ],
    [
      "a start of a claim that was given to nobody",
      (run) => ({ effects: [...run.effects, effect(3, 2, "start", { scheduledAt: START + 2000 })] }),
      /job 3, claim 2 was started, and given to nobody/,
    ],
    [
      "a start for another occurrence than the recorded one",
      (run) => ({
        effects: [
          ...without(run.effects, ({ jobId }) => jobId === 1),
          ...ran(1, 1, { scheduledAt: START + 7 }),
        ],
      }),
      /was started for 1800000000007, and recorded for 1800000000000/,
    ],
    [
      "a success that never ran",
      (run) => ({ effects: without(run.effects, ({ jobId }) => jobId === 1) }),
      /job 1, claim 1 is recorded as SUCCEEDED, and its handler did not end/,
    ],
    [
      "two final rows for one claim",
      (run) => ({ results: [...run.results, result(2, 1, { outcome: OUTCOME.FAILED, retryAt: START })] }),
      /job 2, claim 1 has 2 final rows/,
    ],
    [
      "a row for a claim that never was",
      (run) => ({ results: [...run.results, result(1, 2, { outcome: OUTCOME.LOST, retryAt: START })] }),
      /job 1, claim 2 has a row, and was never claimed/,
    ],
    [
      "an occurrence that succeeded twice",
      (run) => ({
        results: run.results.map((row) =>
          row.jobId === 2 && !row.late ? { ...row, outcome: OUTCOME.SUCCEEDED } : row,
        ),
      }),
      /job 2, occurrence 1800000000000 succeeded 2 times/,
    ],
    [
      "an occurrence that ended twice",
      (run) => ({
        results: run.results.map((row) => (row.jobId === 2 && !row.late ? { ...row, retryAt: null } : row)),
      }),
      /job 2, occurrence 1800000000000 ended 2 times/,
    ],
    [
      "a claim without a row",
      (run) => ({ results: without(run.results, (row) => row.jobId === 2 && row.claim === 1 && !row.late) }),
      /job 2, claim 1 has no final row/,
    ],
    [
      "an ended job whose occurrence has no end",
      (run) => ({ results: run.results.map((row) => (row.jobId === 1 ? { ...row, retryAt: START } : row)) }),
      /job 1 is at its end, and no row says how/,
    ],
    [
      "a job that goes on after its occurrence has ended",
      (run) => ({
        jobs: run.jobs.map((one) => (one.id === 1 ? { ...one, status: STORED_STATUS.WAITING } : one)),
      }),
      /job 1 goes on although its occurrence has ended/,
    ],
    [
      "an occurrence that vanished",
      (run) => ({ results: without(run.results, (row) => row.jobId === 3 && row.claim === 3) }),
      /job 3: occurrence 1800000004000 is not accounted for/,
    ],
    [
      "a run of skips that is cut short",
      (run) => ({
        results: run.results.map((row) => (row.skippedCount > 0 ? { ...row, skippedThrough: null } : row)),
      }),
      /job 3: occurrence 1800000003000 is not accounted for/,
    ],
    [
      "an occurrence that ran at no due time",
      (run) => ({
        results: [
          ...run.results,
          result(3, 4, { late: false, scheduledAt: START + 1500, outcome: OUTCOME.FAILED }),
        ],
      }),
      /job 3: 1800000001500 ran, and is none of its due times/,
    ],
    [
      "a recurring job that waits for no due time",
      (run) => ({
        jobs: run.jobs.map((one) => (one.id === 3 ? { ...one, scheduledAt: START + 6_250 } : one)),
      }),
      /job 3 waits for 1800000006250; its schedule says/,
    ],
    [
      "a recurring job that has stopped",
      (run) => ({ now: run.now + 60_000 }),
      /job 3: nothing is recorded since 1800000006000/,
    ],
    [
      "a job left RUNNING",
      (run) => ({ jobs: [...run.jobs, job(4, { status: STORED_STATUS.RUNNING })] }),
      /job 4 \(job 4\) is still RUNNING/,
    ],
    [
      "an overdue job",
      (run) => ({ jobs: [...run.jobs, job(4, { status: STORED_STATUS.WAITING, claim: 0, at: START })] }),
      /job 4 \(job 4\) is overdue/,
    ],
    ["a final row that changed", () => ({ changedRows: ["a row changed"] }), /a row changed/],
  ])("catches %s", (_, plant, expected) => {
    const run = soundRun();
    expect(findViolations({ ...run, ...plant(run) }).join("\n")).toMatch(expected);
  });

  test("notices a final row that changes or goes, and none that comes", () => {
    const watch = new FinalRowWatch();
    watch.look([result(1, 1)]);
    watch.look([result(1, 1), result(2, 1), result(1, 1, { late: true, endTime: 7 })]);
    expect(watch.changed).toEqual([]);
    watch.look([result(1, 1, { outcome: OUTCOME.LOST })]);
    expect(watch.changed).toEqual([
      expect.stringMatching(/final row of job 1, claim 1 was .* became/),
      "the final row of job 2, claim 1 is gone",
    ]);
  });
});
