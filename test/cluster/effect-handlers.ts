/**
 * Handlers whose effects can be counted: each start and each end is one line, appended in one write, in
 * the file that EFFECTS_LOG names. What is in that file has happened, whatever the database says.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineJobs, type HandlerContext, type HandlerJob } from "../../src/jobs/define-jobs.ts";
import type { Effect } from "./effects-log.ts";

const path = process.env["EFFECTS_LOG"];
if (path === undefined) throw new Error("EFFECTS_LOG is not set: the file that effects are logged to");
const file = path;

function log(event: Effect["event"], ctx: HandlerContext): void {
  const effect: Effect = {
    event,
    jobId: Number(ctx.jobId),
    claim: ctx.claim,
    attempt: ctx.attempt,
    scheduledAt: ctx.scheduledAt.getTime(),
    node: process.env["NODE_ID"] ?? "",
    pid: process.pid,
    at: performance.timeOrigin + performance.now(),
  };
  appendFileSync(file, `${JSON.stringify(effect)}\n`);
}

async function logged(ctx: HandlerContext, work: () => unknown): Promise<unknown> {
  log("start", ctx);
  try {
    const output = await work();
    log("end", ctx);
    return output;
  } catch (error) {
    log("failed", ctx);
    throw error;
  }
}

const millisecondsOf = (job: HandlerJob): number => Number(job.payload?.ms ?? 0);

/** Keeps its thread busy: nothing else turns in it. */
function block(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

export default defineJobs({
  /** Takes `ms`; its first `failures` attempts fail. */
  effect: (job, ctx) =>
    logged(ctx, async () => {
      const ms = millisecondsOf(job);
      if (ms > 0) await sleep(ms, undefined, { signal: ctx.signal });
      if (ctx.attempt <= Number(job.payload?.failures ?? 0)) throw new Error("failed as asked");
      return { claim: ctx.claim };
    }),
  /** Ignores its abort. */
  stubborn: (job, ctx) => logged(ctx, () => sleep(millisecondsOf(job))),
  /** Uses CPU for `ms`, in its thread. */
  burn: (job, ctx) => logged(ctx, () => block(millisecondsOf(job))),
  /** Never ends, and never lets go of its thread. */
  spin: (_job, ctx) => logged(ctx, () => block(Number.POSITIVE_INFINITY)),
  /** Takes more memory than there is. */
  hoard: (_job, ctx) =>
    logged(ctx, () => {
      for (const kept: unknown[] = []; ; ) kept.push(Array(1_000_000).fill(kept.length));
    }),
  /** Takes its node with it. */
  crash: (_job, ctx) =>
    logged(ctx, async () => {
      process.kill(process.pid, "SIGKILL");
      await sleep(60_000);
    }),
});
