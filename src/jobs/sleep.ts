import { setTimeout } from "node:timers/promises";
import { type HandlerContext, type HandlerJob, PermanentError } from "./define-jobs.ts";

const MAX_MS = 2 ** 31 - 1;

/** Waits `payload.ms` milliseconds (default 1000), or until it is aborted. */
export async function sleep(job: HandlerJob, ctx: HandlerContext): Promise<{ sleptMs: number }> {
  const ms: unknown = job.payload?.ms ?? 1000;
  if (typeof ms !== "number" || !(ms >= 0 && ms <= MAX_MS)) {
    throw new PermanentError(
      `payload.ms: ${JSON.stringify(ms)} is not a number of milliseconds, 0 to ${MAX_MS}`,
    );
  }
  await setTimeout(ms, undefined, { signal: ctx.signal });
  return { sleptMs: ms };
}
