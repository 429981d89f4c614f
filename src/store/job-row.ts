/** A row of `jobinfo`, to and from a JobRecord. */
import { type JobRecord, STORED_STATUS, type StoredStatus } from "../core/job.ts";
import { decodeSpec, encodeSpec } from "../core/spec/spec-text.ts";
import type { SqlValue } from "./dialect.ts";

export interface JobRow {
  readonly id: number;
  readonly class: number;
  readonly at: number;
  readonly status: StoredStatus;
  readonly claim: number;
  readonly attempt: number;
  readonly failures: number;
  readonly lost: number;
  readonly revision: number;
  readonly node: number;
  readonly epoch: number;
  readonly parent_id: number;
  readonly scheduled_at: number;
  readonly ended_at: number;
  readonly create_time: number;
  readonly update_time: number;
  readonly priority: number;
  readonly name: string;
  /** As `core/spec-text.ts` writes it. */
  readonly spec: string;
  readonly payload: string | null;
}

/** In the order of `pushJob`. */
export const JOB_COLUMNS = [
  "id",
  "class",
  "at",
  "status",
  "claim",
  "attempt",
  "failures",
  "lost",
  "revision",
  "node",
  "epoch",
  "parent_id",
  "scheduled_at",
  "ended_at",
  "create_time",
  "update_time",
  "priority",
  "name",
  "spec",
  "payload",
] as const satisfies readonly (keyof JobRow)[];

const WITHOUT_PAYLOAD = JOB_COLUMNS.filter((column) => column !== "payload");

export const SELECT_JOB = JOB_COLUMNS.join(", ");
export const SELECT_JOB_WITHOUT_PAYLOAD = WITHOUT_PAYLOAD.join(", ");

/** Appends the row's values: a batch becomes one flat list. */
export function pushJob(values: SqlValue[], job: JobRecord, epoch: number): void {
  values.push(
    job.id,
    job.classId,
    job.at,
    job.status,
    job.claim,
    job.attempt,
    job.failures,
    job.lost,
    job.revision,
    job.node,
    epoch,
    job.parentId,
    job.scheduledAt,
    job.endedAt,
    job.createTime,
    job.updateTime,
    job.spec.priority,
    job.spec.name,
    encodeSpec(job.spec),
    job.spec.payload,
  );
}

/** What the rows of new jobs have in the columns that `pushNewJob` leaves out. Nearly all jobs are new. */
const NEW = {
  failures: "0",
  lost: "0",
  revision: "0",
  parent_id: "0",
  ended_at: "0",
  scheduled_at: "at",
  update_time: "create_time",
};
const WAITING = { ...NEW, status: `${STORED_STATUS.WAITING}`, claim: "0", attempt: "0", node: "0" };
/** Placed at once, as its first claim. */
const CLAIMED = { ...NEW, status: `${STORED_STATUS.RUNNING}`, claim: "1", attempt: "1" };
/** Due when it is added, and of the usual priority. */
const PLAIN = { create_time: "at", priority: "0" };
export const NEW_JOB = {
  waiting: WAITING,
  plainWaiting: { ...WAITING, ...PLAIN },
  claimed: CLAIMED,
  plainClaimed: { ...CLAIMED, ...PLAIN },
} as const satisfies Record<string, Partial<Record<keyof JobRow, string>>>;
export type NewJobKind = keyof typeof NEW_JOB;

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

/** Appends the values of the columns that `NEW_JOB` leaves open. */
export function pushNewJob(values: SqlValue[], kind: NewJobKind, job: JobRecord, epoch: number): void {
  const { spec } = job;
  values.push(job.id, job.classId, job.at);
  if (kind === "claimed" || kind === "plainClaimed") values.push(job.node);
  values.push(epoch);
  if (kind === "waiting" || kind === "claimed") values.push(job.createTime, spec.priority);
  values.push(spec.name, encodeSpec(spec), spec.payload);
}

export function jobOfRow(row: JobRow): JobRecord {
  return {
    id: row.id,
    classId: row.class,
    at: row.at,
    status: row.status,
    claim: row.claim,
    attempt: row.attempt,
    failures: row.failures,
    lost: row.lost,
    revision: row.revision,
    node: row.node,
    parentId: row.parent_id,
    scheduledAt: row.scheduled_at,
    endedAt: row.ended_at,
    createTime: row.create_time,
    updateTime: row.update_time,
    spec: decodeSpec(row.spec, row),
  };
}
