import { NOT_ALLOWED, RefusedCalls, refusedLine } from "../core/audit/refused-calls.ts";
import type { Caller } from "../core/callers/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";

const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    // What is still to be told keeps no process from its end. Deno's timers are numbers.
    if (typeof timer === "object") timer.unref();
    return () => clearTimeout(timer);
  },
};

/** What callers' roles do not allow, in the log, gathered: an edge has no database to note it in. */
export function logForbidden(logger: Pick<Logger, "warn">): (caller: Caller, method: string) => void {
  const refused = new RefusedCalls(clock, (calls) => {
    for (const call of calls) logger.warn(refusedLine(call), NOT_ALLOWED);
  });
  return (caller, method) => refused.note(caller, method);
}
