import { type JobRecord, STORED_STATUS } from "../../../../src/core/job.ts";
import { parseJobSpec, specOrThrow } from "../../../../src/core/job-spec.ts";

/** A waiting job of the handler `echo`, but for what is given. */
export function recordOf(fields: Partial<JobRecord> = {}): JobRecord {
  return {
    id: 42,
    classId: 1,
    claim: 0,
    revision: 1,
    node: 0,
    parentId: 0,
    createTime: 1000,
    updateTime: 2000,
    status: STORED_STATUS.WAITING,
    at: 3000,
    scheduledAt: 3000,
    attempt: 0,
    failures: 0,
    lost: 0,
    endedAt: 0,
    spec: specOrThrow(parseJobSpec({ handler: "echo" }, 0)),
    ...fields,
  };
}
