import type { HandlerJob } from "./define-jobs.ts";

/** Returns its payload. */
export function echo(job: HandlerJob): unknown {
  return job.payload;
}
