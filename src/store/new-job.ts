/**
 * Rows of new jobs, as nearly all rows are that are added: most of their columns are the same in all of
 * them, and are written into the statement, where a value costs the server next to nothing.
 */
import { type JobRecord, STORED_STATUS } from "../core/job.ts";
import { JOB_COLUMNS, type JobColumn } from "./job-row.ts";

type Fixed = Partial<Readonly<Record<JobColumn, string>>>;

const NEW: Fixed = {
  failures: "0",
  lost: "0",
  revision: "0",
  parent_id: "0",
  ended_at: "0",
  scheduled_at: "at",
  update_time: "create_time",
};
const WAITING: Fixed = { ...NEW, status: `${STORED_STATUS.WAITING}`, claim: "0", attempt: "0", node: "0" };
/** Such a job was placed at once, as its first claim. */
const CLAIMED: Fixed = { ...NEW, status: `${STORED_STATUS.RUNNING}`, claim: "1", attempt: "1" };
/** Such a job is due when it is added, and of the usual priority. */
const PLAIN: Fixed = { create_time: "at", priority: "0" };

export type NewJobKind = "waiting" | "plainWaiting" | "claimed" | "plainClaimed";

/** What the rows have in the columns that are not bound, as SQL. */
export const NEW_JOB: Readonly<Record<NewJobKind, Fixed>> = {
  waiting: WAITING,
  plainWaiting: { ...WAITING, ...PLAIN },
  claimed: CLAIMED,
  plainClaimed: { ...CLAIMED, ...PLAIN },
};

/** What all of the jobs are; null: they have more to say. */
export function newJobKind(jobs: readonly JobRecord[]): NewJobKind | null {
  const isPlain = jobs.every((job) => job.createTime === job.at && job.spec.priority === 0);
  if (jobs.every(isNewWaiting)) return isPlain ? "plainWaiting" : "waiting";
  if (jobs.every(isNewClaimed)) return isPlain ? "plainClaimed" : "claimed";
  return null;
}

function isNewWaiting(job: JobRecord): boolean {
  const { status, claim, attempt, node } = job;
  return status === STORED_STATUS.WAITING && claim === 0 && attempt === 0 && node === 0 && isNew(job);
}

function isNewClaimed(job: JobRecord): boolean {
  return job.status === STORED_STATUS.RUNNING && job.claim === 1 && job.attempt === 1 && isNew(job);
}

function isNew(job: JobRecord): boolean {
  return (
    job.failures === 0 &&
    job.lost === 0 &&
    job.revision === 0 &&
    job.parentId === 0 &&
    job.endedAt === 0 &&
    job.scheduledAt === job.at &&
    job.updateTime === job.createTime
  );
}

/** The columns that a kind leaves open. */
export function openColumns(kind: NewJobKind): readonly JobColumn[] {
  return JOB_COLUMNS.filter((name) => NEW_JOB[kind][name] === undefined);
}
