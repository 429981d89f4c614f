import { type HandlerContext, type HandlerJob, PermanentError } from "./define-jobs.ts";

/**
 * Fails `payload.times` attempts (default: all), then succeeds. With `payload.permanent` it fails for
 * good at once. `payload.message` is the error's message.
 */
export function fail(job: HandlerJob, ctx: HandlerContext): { attempt: number } {
  const message = String(job.payload?.message ?? "failed as asked");
  if (job.payload?.permanent === true) throw new PermanentError(message);
  const times = Number(job.payload?.times ?? Number.POSITIVE_INFINITY);
  if (ctx.attempt <= times) throw new Error(`${message} (attempt ${ctx.attempt})`);
  return { attempt: ctx.attempt };
}
