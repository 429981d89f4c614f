import { setTimeout } from "node:timers/promises";
import { type HandlerContext, type HandlerJob, PermanentError } from "./define-jobs.ts";

const MAX_MS = 2 ** 31 - 1;

/** Waits so many milliseconds as the payload says, bare or as `ms` (default 1000), or until it is aborted. */
export async function sleep(job: HandlerJob, ctx: HandlerContext): Promise<{ sleptMs: number }> {
  const ms = sleepMs(job);
  await setTimeout(ms, undefined, { signal: ctx.signal });
  return { sleptMs: ms };
}

/** How long the payload says. */
export function sleepMs(job: HandlerJob): number {
  const payload: unknown = job.payload ?? {};
  const isObject = typeof payload === "object" && payload !== null && !Array.isArray(payload);
  const ms: unknown = isObject ? ("ms" in payload ? payload.ms : 1000) : payload;
  if (typeof ms === "number" && ms >= 0 && ms <= MAX_MS) return ms;
  const accepted = `a number of milliseconds from 0 to ${MAX_MS} is accepted, such as 500 or {"ms": 500}`;
  throw new PermanentError(
    `${isObject ? "payload.ms" : "payload"}: is ${JSON.stringify(ms).slice(0, 100)}; ${accepted}`,
  );
}
