/** What an edge tells of calls that were refused: an edge has no database to note them in. */

import { GUESSED, guessedLine } from "../core/audit/guessed-tokens.ts";
import { NOT_ALLOWED, RefusedCalls, refusedLine } from "../core/audit/refused-calls.ts";
import type { Caller } from "../core/callers/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";

/** Each hears of every such call, and tells of many of them at once. */
export interface Refusals {
  /** The caller's role does not allow it. */
  forbidden(caller: Caller, method: string): void;
  /** The caller sent a token that is none. */
  guessed(caller: Caller, method: string): void;
  /** The caller's token is one here, and none at the node. */
  unknownAtNode(caller: Caller, method: string): void;
}

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

export function logRefusals(logger: Pick<Logger, "warn">): Refusals {
  const gather = (message: string, lineOf = refusedLine) => {
    const refused = new RefusedCalls(clock, (calls) => {
      for (const call of calls) logger.warn(lineOf(call), message);
    });
    return (caller: Caller, method: string) => refused.note(caller, method);
  };
  return {
    forbidden: gather(NOT_ALLOWED),
    guessed: gather(GUESSED, guessedLine),
    unknownAtNode: gather(
      "nodes do not accept a token that this edge does: give both the same API_TOKENS, or API_TOKENS_FILE",
    ),
  };
}
