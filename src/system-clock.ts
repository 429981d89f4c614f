import { randomBytes } from "node:crypto";
import type { Clock } from "./core/clock.ts";
import type { Random } from "./core/random.ts";

/** setTimeout's longest delay; it takes a longer one for 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    if (ms <= 0) {
      // After all that is ready now, without the millisecond that a timer takes at least.
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const due = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = () => {
      timer = setTimeout(
        () => {
          // A timer may fire up to 1 ms early, and a long one is waited out in parts.
          if (performance.now() < due) arm();
          else callback();
        },
        Math.min(Math.max(0, due - performance.now()), MAX_TIMEOUT_MS),
      );
    };
    arm();
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomBytes(16).toString("hex"),
};
