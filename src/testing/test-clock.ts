/** The cluster's time, for handlers that wait for it. */
import type { HandlerRuns } from "./handler-runs.ts";
import { msOf, type TestDuration } from "./test-times.ts";
import type { VirtualTime } from "./virtual-clock.ts";

export interface TestClock {
  /** Now, in the cluster. */
  now(): Date;
  /**
   * Resolves after so long of the cluster's time. When the signal aborts, it rejects with that one's reason. `Infinity`: only
   * the signal ends it. A handler that is given this, and in production one that really sleeps, costs a test no time.
   */
  sleep(duration: TestDuration, signal?: AbortSignal): Promise<void>;
  /** Lets time pass while a handler awaits what only the test settles. */
  wait<T>(promise: PromiseLike<T>): Promise<T>;
}

export function createTestClock(time: VirtualTime, runs: HandlerRuns): TestClock {
  return {
    now: () => dateOf(time),
    async sleep(duration, signal) {
      const ms = duration === Number.POSITIVE_INFINITY ? duration : msOf("sleep", duration);
      signal?.throwIfAborted();
      const run = runs.current;
      await runs.waiting(
        new Promise<void>((resolve, reject) => {
          const stop = () => {
            cancel();
            reject(signal?.reason);
          };
          const wake = () => {
            signal?.removeEventListener("abort", stop);
            // A process that has died does nothing more.
            if (run?.isAbandoned !== true) resolve();
          };
          const cancel = Number.isFinite(ms) ? time.after(ms, wake) : () => {};
          signal?.addEventListener("abort", stop, { once: true });
        }),
      );
    },
    wait: (promise) => runs.waiting(promise),
  };
}

export function dateOf(time: VirtualTime): Date {
  return new Date(Math.floor(time.start + time.now));
}
