/**
 * Carries out a piece of work on a connection, again if need be. After a cut connection the identical
 * write is repeated before anything is read: reading first was seen to miss a write that was still
 * waiting for a lock on the server.
 */
import { type Clock, sleep } from "../../core/clock.ts";
import type { ConnectionPool, Session } from "./connection-pool.ts";
import { type Failure, failureOf, translate } from "./errors.ts";

const REPEAT_LIMIT_MS = 10_000;
const LONGEST_PAUSE_MS = 500;

const REPEATED: readonly Failure[] = ["conflict", "cut", "not_now"];

/** `uncertain`: an earlier try was cut off, so the work may find what it writes already there. */
export type Work<T> = (session: Session, uncertain: boolean) => Promise<T>;

export type Repeat = <T>(work: Work<T>) => Promise<T>;

export function repeatOn(pool: ConnectionPool, clock: Clock): Repeat {
  return async (work) => {
    const startedAt = clock.monotonic();
    let uncertain = false;
    for (let tries = 1; ; tries++) {
      try {
        return await pool.use((session) => work(session, uncertain));
      } catch (error) {
        const failure = failureOf(error);
        if (failure === "cut") uncertain = true;
        // The first time it does not wait: most often the server had closed an idle connection.
        const pauseMs = tries === 1 ? 0 : Math.min(10 * 2 ** tries, LONGEST_PAUSE_MS);
        const spentMs = clock.monotonic() - startedAt;
        if (!REPEATED.includes(failure) || spentMs + pauseMs > REPEAT_LIMIT_MS) throw translate(error);
        if (pauseMs > 0) await sleep(clock, pauseMs);
      }
    }
  };
}
