/** What a sound run left behind, in the form in which breaches are planted: both kinds of evidence can take it. */
import type { JobFact, RowFact } from "./facts.ts";

export interface DueJob extends JobFact {
  readonly at: number;
}

/** What a run left behind, to be changed. The checker that is tested looks at it afterwards. */
export interface SoundRun<J extends DueJob, R extends RowFact> {
  jobs: readonly J[];
  results: readonly R[];
  seenRows: readonly R[];
  readonly now: number;
  /** A job that ran once more after its first claim had failed, and then succeeded. */
  readonly once: number;
  /** A job that recurs, and whose first claim succeeded. */
  readonly recurring: number;
  start(jobId: number, claim: number, scheduledAt: number): void;
  forgetStarts(jobId: number): void;
  acknowledge(jobId: number, add: string): void;
}

export function jobOf<J extends DueJob, R extends RowFact>({ jobs }: SoundRun<J, R>, id: number): J {
  const job = jobs.find((other) => other.id === id);
  if (job === undefined) throw new Error(`no job ${id}`);
  return job;
}

export function rowOf<J extends DueJob, R extends RowFact>(
  { results }: SoundRun<J, R>,
  jobId: number,
  claim: number,
): R {
  const row = results.find((other) => other.jobId === jobId && other.claim === claim && !other.late);
  if (row === undefined) throw new Error(`no row of job ${jobId}, claim ${claim}`);
  return row;
}

export function changeJob<J extends DueJob, R extends RowFact>(
  run: SoundRun<J, R>,
  id: number,
  change: Partial<DueJob>,
): void {
  run.jobs = run.jobs.map((job) => (job.id === id ? { ...job, ...change } : job));
}

/** Null: it goes. */
export function changeRow<J extends DueJob, R extends RowFact>(
  run: SoundRun<J, R>,
  jobId: number,
  claim: number,
  change: Partial<RowFact> | null,
): void {
  const row = rowOf(run, jobId, claim);
  run.results = run.results.flatMap((other) => {
    if (other !== row) return [other];
    return change === null ? [] : [{ ...row, ...change }];
  });
  run.seenRows = [];
}

export function addRow<J extends DueJob, R extends RowFact>(
  run: SoundRun<J, R>,
  row: R,
  change: Partial<RowFact>,
): void {
  run.results = [...run.results, { ...row, ...change }];
}

export function dueOf<J extends DueJob, R extends RowFact>(run: SoundRun<J, R>): number {
  return rowOf(run, run.recurring, 1).scheduledAt;
}
