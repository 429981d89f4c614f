import { firstDue } from "../../core/calendar/next-due.ts";
import { invalidArgument } from "../../core/errors.ts";
import { type JobRecord, type JobSpec, STORED_STATUS } from "../../core/job.ts";

/** A job that is to be added. */
export interface NewJob {
  readonly spec: JobSpec;
  readonly id: number;
  /** The job that it was added for; 0, or unset: none. */
  readonly addedFor?: number | undefined;
}

/** As what it begins; `parentId`: the job that it is an occurrence of, 0 for none. Throws `invalid_argument` when it is never due. */
export function newRecord(
  { spec, id, addedFor = 0 }: NewJob,
  classId: number,
  parentId: number,
  now: number,
): JobRecord {
  const due = firstDue({ id, spec }, now);
  if (due === null) {
    throw invalidArgument([{ field: "schedule", message: "has no occurrence any more" }]);
  }
  return {
    id,
    classId,
    status: STORED_STATUS.WAITING,
    at: due.at,
    // A child's occurrence is its parent's, which has fallen due already.
    scheduledAt: parentId !== 0 && spec.schedule.kind === "timed" ? spec.schedule.runAt : due.scheduledAt,
    attempt: 0,
    failures: 0,
    lost: 0,
    endedAt: 0,
    claim: 0,
    revision: 0,
    node: 0,
    parentId: parentId || addedFor,
    createTime: now,
    updateTime: now,
    spec,
  };
}
