/** Tokens that were sent and are none: somebody has a token of yesterday, or tries one after the other. */

import { type Caller, callerOf } from "../callers/caller.ts";
import type { GatheredCall } from "./gathered-calls.ts";

export const GUESSED = "a caller sends API tokens that are not accepted";

/** Nobody knows who it is. */
export function guesser(address: string, forwardedFor: string | null): Caller {
  return callerOf("", address, forwardedFor);
}

/** As a log line has it. */
export function guessedLine({ caller, method, count }: GatheredCall): object {
  return { address: caller.address, forwardedFor: caller.forwardedFor, method, count };
}
