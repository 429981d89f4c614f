import { type Clock, sleep } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { Runner } from "./runner.ts";

/**
 * Drains a node: what has not begun goes back at once, what runs may end; what has not ended after `graceMs` is handed
 * back, and its handlers get as long again to end.
 */
export async function letJobsEnd(
  runner: Runner,
  {
    clock,
    logger,
    graceMs,
    undrained,
  }: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly graceMs: number;
    /** Aborts when the node takes jobs again: what runs by then goes on. */
    readonly undrained: AbortSignal;
  },
): Promise<void> {
  runner.returnQueued("its node is draining");
  const idle = new AbortController();
  void runner.whenIdle().then(() => idle.abort());
  await sleep(clock, graceMs, AbortSignal.any([idle.signal, undrained]));
  if (idle.signal.aborted || undrained.aborted) return;
  logger.warn({ slots: runner.usedSlots }, "handing back jobs that still run");
  runner.handBack("its node is draining");
  await sleep(clock, graceMs, idle.signal);
}
