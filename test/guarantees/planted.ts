/** Breaches of G1 to G4 that can be planted in any sound run, and what each checker must say of them. */
import { NEVER, OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import type { RowFact } from "./facts.ts";
import {
  addRow,
  changeJob,
  changeRow,
  type DueJob,
  dueOf,
  jobOf,
  rowOf,
  type SoundRun,
} from "./sound-run.ts";

export interface Planted {
  readonly name: string;
  readonly plant: <J extends DueJob, R extends RowFact>(run: SoundRun<J, R>) => void;
  readonly says: RegExp;
}

export const PLANTED: readonly Planted[] = [
  {
    name: "an acknowledged job that is missing",
    plant: (run) => run.acknowledge(999, "an add"),
    says: /G1: job 999 .* is missing/,
  },
  {
    name: "an add that is stored twice",
    plant: (run) => {
      run.jobs = [...run.jobs, { ...jobOf(run, run.once), id: 999, claim: 0 }];
    },
    says: /G1: .* was added once, and is stored as jobs \d+ and \d+/,
  },
  {
    name: "an add that was acknowledged under two ids",
    plant: (run) => run.acknowledge(run.recurring, jobOf(run, run.once).spec.name),
    says: /G1: .* was added once, and was acknowledged as jobs \d+ and \d+/,
  },
  {
    name: "an add that was acknowledged as another's job",
    plant: (run) => run.acknowledge(run.recurring, "another add"),
    says: /G1: another add was acknowledged as job \d+, which is that of/,
  },
  {
    name: "a claim that was started twice",
    plant: (run) => run.start(run.once, 1, rowOf(run, run.once, 1).scheduledAt),
    says: /G2: job \d+, claim 1 was started 2 times/,
  },
  {
    name: "a start without a claim",
    plant: (run) => run.start(run.once, 9, rowOf(run, run.once, 1).scheduledAt),
    says: /G2: job \d+, claim 9 was started, and never made/,
  },
  {
    name: "a start of a job that does not exist",
    plant: (run) => run.start(999, 1, run.now),
    says: /G2: job 999, claim 1 was started, and there is no such job/,
  },
  {
    name: "a start of a claim that was given to nobody",
    plant: (run) => changeRow(run, run.recurring, 1, { node: 0 }),
    says: /G2: job \d+, claim 1 was started, and given to nobody/,
  },
  {
    name: "a start for another occurrence than the recorded one",
    plant: (run) => {
      run.forgetStarts(run.once);
      run.start(run.once, 2, 7);
    },
    says: /G2: job \d+, claim 2 was started for 7, and recorded for \d+/,
  },
  {
    name: "a success that never ran",
    plant: (run) => run.forgetStarts(run.once),
    says: /G3: job \d+, claim 2 is recorded as SUCCEEDED, and its handler did not end/,
  },
  {
    name: "two final rows for one claim",
    plant: (run) => addRow(run, rowOf(run, run.once, 1), { outcome: OUTCOME.LOST }),
    says: /G3: job \d+, claim 1 has 2 final rows/,
  },
  {
    name: "a row for a claim that never was",
    plant: (run) => addRow(run, rowOf(run, run.once, 1), { claim: 9 }),
    says: /G3: job \d+, claim 9 has a row, and was never made/,
  },
  {
    name: "a late row alone",
    plant: (run) => changeRow(run, run.once, 1, { late: true }),
    says: /G3: job \d+, claim 1 has a late row only/,
  },
  {
    name: "a claim without a row",
    plant: (run) => changeRow(run, run.once, 1, null),
    says: /G3: job \d+, claim 1 has no final row/,
  },
  {
    name: "a final row that changed",
    plant: (run) => {
      run.seenRows = [{ ...rowOf(run, run.once, 1), endTime: 0 }];
    },
    says: /G3: the final row of job \d+, claim 1 has changed/,
  },
  {
    name: "a final row that is gone",
    plant: (run) => {
      run.seenRows = [{ ...rowOf(run, run.once, 1), claim: 9 }];
    },
    says: /G3: the final row of job \d+, claim 9 is gone/,
  },
  {
    name: "an occurrence that succeeded twice",
    plant: (run) => changeRow(run, run.once, 1, { outcome: OUTCOME.SUCCEEDED }),
    says: /G3: job \d+, occurrence \d+ succeeded 2 times/,
  },
  {
    name: "an occurrence that ended twice",
    plant: (run) => changeRow(run, run.once, 1, { retryAt: null }),
    says: /G4: job \d+, occurrence \d+ ended 2 times/,
  },
  {
    name: "an ended job whose occurrence has no end",
    plant: (run) => changeRow(run, run.once, 2, { retryAt: run.now }),
    says: /G4: job \d+ is at its end, and no row says how/,
  },
  {
    name: "a job that goes on after its occurrence has ended",
    plant: (run) => changeJob(run, run.once, { status: STORED_STATUS.WAITING, at: run.now + 1000 }),
    says: /G4: job \d+ goes on although its occurrence has ended/,
  },
  {
    name: "a job whose status is not its last row's",
    plant: (run) => changeJob(run, run.once, { status: STORED_STATUS.FAILED, at: NEVER }),
    says: /G4: job \d+ has status 6, and its last row outcome 1/,
  },
  {
    name: "a cancel that nobody asked for",
    plant: (run) => {
      changeRow(run, run.once, 2, { outcome: OUTCOME.CANCELLED });
      changeJob(run, run.once, { status: STORED_STATUS.CANCELLED });
    },
    says: /G4: job \d+ was cancelled, and nobody asked for it/,
  },
  {
    name: "an occurrence that vanished",
    plant: (run) => changeRow(run, run.recurring, 1, null),
    says: /G4: the occurrence .* is accounted for 0 times/,
  },
  {
    name: "an occurrence that ran, and was skipped",
    plant: (run) => changeRow(run, run.recurring, 1, { outcome: OUTCOME.SKIPPED, skippedThrough: run.now }),
    says: /G4: the occurrence .* is accounted for 2 times/,
  },
  {
    name: "a run of skips that says another number than there are",
    plant: (run) =>
      changeRow(run, run.recurring, 1, { outcome: OUTCOME.SKIPPED, reason: "misfire", skippedCount: 7 }),
    says: /G4: job \d+, claim 1 says that it skipped 7/,
  },
  {
    name: "a skip for a reason that there is not",
    plant: (run) =>
      changeRow(run, run.recurring, 1, { outcome: OUTCOME.SKIPPED, reason: "bored", skippedCount: 1 }),
    says: /G4: job \d+, claim 1: skipped as "bored", but there is no such reason/,
  },
  {
    name: "an occurrence that ran at no due time",
    plant: (run) => changeRow(run, run.recurring, 1, { scheduledAt: dueOf(run) + 1 }),
    says: /G4: job \d+, claim 1 ended .*, which is no occurrence/,
  },
  {
    name: "a recurring job that waits for no due time",
    plant: (run) =>
      changeJob(run, run.recurring, { scheduledAt: jobOf(run, run.recurring).scheduledAt + 250 }),
    says: /G4: job \d+ stands at .*, which is no occurrence/,
  },
  {
    name: "a recurring job that jumped ahead",
    plant: (run) =>
      changeJob(run, run.recurring, { scheduledAt: jobOf(run, run.recurring).scheduledAt + 10_000 }),
    says: /G4: the occurrence .* is accounted for 0 times/,
  },
  {
    name: "a job left RUNNING",
    plant: (run) => changeJob(run, run.once, { status: STORED_STATUS.RUNNING }),
    says: /job \d+.* is (still )?RUNNING/,
  },
  {
    name: "an overdue job",
    plant: (run) => changeJob(run, run.once, { status: STORED_STATUS.WAITING, at: run.now - 20_000 }),
    says: /job \d+.* is overdue/,
  },
];
