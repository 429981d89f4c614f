import { TURN_MS } from "./executor-messages.ts";

/** How long what goes wrong in a thread may go on. Monotonic milliseconds. */
export interface ThreadLimits {
  /** A module that has not loaded by then is refused; a job that has found no thread by then is handed back. */
  readonly startMs: number;
  /** How long a handler has to end after its deadline. */
  readonly timeoutGraceMs: number;
  /** A thread whose event loop has not turned for so long is killed, whatever the time limits of its jobs. */
  readonly maxBlockedMs: number;
  /** Not turned for so long, when a job in it has to end: it is blocked. */
  readonly blockedMs: number;
  /** How long the neighbours of a handler that ignores its abort have to end, before its thread is killed. */
  readonly retireMs: number;
  /** How long the teardown of a thread that ends in order may take. */
  readonly teardownMs: number;
  /** The wait before a thread that could not be started, or died young, is started again. */
  readonly restartMs: number;
}

export const THREAD_LIMITS: ThreadLimits = {
  startMs: 30_000,
  timeoutGraceMs: 1000,
  maxBlockedMs: 30_000,
  blockedMs: 4 * TURN_MS,
  retireMs: 10_000,
  teardownMs: 5_000,
  restartMs: 1000,
};
