/** A row of `jobinfo`, to and from a JobRecord. */
import type { JobRecord } from "../core/job.ts";
import { decodeSpec } from "../core/spec/spec-text.ts";
import type { RowOf } from "./column-list.ts";
import { specText } from "./last-spec-text.ts";

type Has<Field extends keyof JobRecord> = Pick<JobRecord, Field>;

/** Each statement about jobs, and its values, are made of this list. A column asks for the fields that it is read from, and no more. */
const JOB = {
  id: (job: Has<"id">) => job.id,
  class: (job: Has<"classId">) => job.classId,
  at: (job: Has<"at">) => job.at,
  status: (job: Has<"status">) => job.status,
  claim: (job: Has<"claim">) => job.claim,
  attempt: (job: Has<"attempt">) => job.attempt,
  failures: (job: Has<"failures">) => job.failures,
  lost: (job: Has<"lost">) => job.lost,
  revision: (job: Has<"revision">) => job.revision,
  node: (job: Has<"node">) => job.node,
  epoch: (_: object, epoch: number) => epoch,
  parent_id: (job: Has<"parentId">) => job.parentId,
  scheduled_at: (job: Has<"scheduledAt">) => job.scheduledAt,
  ended_at: (job: Has<"endedAt">) => job.endedAt,
  create_time: (job: Has<"createTime">) => job.createTime,
  update_time: (job: Has<"updateTime">) => job.updateTime,
  priority: ({ spec }: Has<"spec">) => spec.priority,
  name: ({ spec }: Has<"spec">) => spec.name,
  spec: ({ spec }: Has<"spec">) => specText(spec),
  payload: ({ spec }: Has<"spec">) => spec.payload,
};

export type JobColumn = keyof typeof JOB;
export type JobRow = RowOf<typeof JOB>;

export const JOB_COLUMNS = Object.keys(JOB) as JobColumn[];

/** How these columns are read. */
export function readersOf<Name extends JobColumn>(names: readonly Name[]): (typeof JOB)[Name][] {
  return names.map((name) => JOB[name]);
}

export const SELECT_JOB = JOB_COLUMNS.join(", ");
export const SELECT_JOB_WITHOUT_PAYLOAD = JOB_COLUMNS.filter((name) => name !== "payload").join(", ");

/** What the final row of a claim changes. */
export const PROJECTED = [
  "status",
  "at",
  "scheduled_at",
  "attempt",
  "failures",
  "lost",
  "ended_at",
  "update_time",
] as const satisfies readonly JobColumn[];

const STAYS: readonly JobColumn[] = ["id", "claim", "node", "epoch", "parent_id", "create_time"];
/** What a caller's change writes: all but what stays as it was. */
export const CHANGED_BY_CALLER = JOB_COLUMNS.filter((name) => !STAYS.includes(name));

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
