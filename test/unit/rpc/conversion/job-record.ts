import type { JobRecord } from "../../../../src/core/job.ts";
import { parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import * as plain from "../../../fixtures/job-fixture.ts";

/** A waiting job of the handler `echo`, with times that are easy to read, but for what is given. */
export function recordOf(fields: Partial<JobRecord> = {}): JobRecord {
  const times = { createTime: 1000, updateTime: 2000, at: 3000, scheduledAt: 3000 };
  const spec = specOrThrow(parseJobSpec({ handler: "echo" }, 0));
  return plain.recordOf({ id: 42, revision: 1, ...times, spec, ...fields });
}
