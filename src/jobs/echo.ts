import type { HandlerJob } from "./define-jobs.ts";
import { exactPayload } from "./exact-payload.ts";

/** Returns its payload, digit by digit. */
export function echo(job: HandlerJob): unknown {
  return exactPayload(job);
}
