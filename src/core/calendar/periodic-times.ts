import type { Counted, LocalTimes } from "./local-schedule.ts";

/** Times that are `periodMs` apart, from the first one on. */
export function periodicTimes(first: number, periodMs: number): LocalTimes {
  const next = (local: number) => first + Math.max(0, Math.ceil((local - first) / periodMs)) * periodMs;
  const within = (from: number, to: number): Counted => {
    const last = next(to) - periodMs;
    const count = Math.max(0, (last - next(from)) / periodMs + 1);
    return { count, last: count > 0 ? last : null, beforeLast: count > 1 ? last - periodMs : null };
  };
  return { next, within };
}
