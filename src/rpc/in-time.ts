/** A caller that gave a deadline gets our answer, which says what is wrong, before it gives up. */
import { Code, ConnectError } from "@connectrpc/connect";
import { answerMarginMs } from "../core/answer-margin.ts";
import type { Clock } from "../core/clock.ts";

/** How long a call that waits for the master may take, if its caller waits for `timeoutMs`. */
export function answerIn(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined ? undefined : timeoutMs - answerMarginMs(timeoutMs);
}

/**
 * Fails with `deadline_exceeded` when `work` takes too long for its caller, as with a database that does not answer.
 * It goes on, as it cannot be taken back. Later than `answerIn`: who waits for something knows more to say.
 */
export function inTime<T>(clock: Clock, timeoutMs: number | undefined, work: Promise<T>): Promise<T> {
  if (timeoutMs === undefined) return work;
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs - answerMarginMs(timeoutMs) / 2, () => reject(outOfTime(timeoutMs)));
    const ends = <Value>(tell: (value: Value) => void) => {
      return (value: Value) => {
        cancel();
        tell(value);
      };
    };
    work.then(ends(resolve), ends(reject));
  });
}

function outOfTime(timeoutMs: number): ConnectError {
  const seconds = (timeoutMs / 1000).toFixed(1);
  const message = `not done within the call's ${seconds} s; whether it will be is not known`;
  return new ConnectError(message, Code.DeadlineExceeded);
}
