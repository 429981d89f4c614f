/**
 * By how much an occurrence is due later than its time. Never so much that it comes near the next one: jitter
 * spreads occurrences, it makes none of them late for being run, nor changes their order.
 */
import { nextOccurrenceOrDropped, type RecurringSchedule } from "./schedule.ts";

/** An occurrence is missed when it is unclaimed so long after it was due, or when the next one is due. */
export const MISSED_AFTER_MS = 60_000;

/** The longest jitter where the next occurrence comes after `intervalMs`: it leaves time to claim the one before. */
export function longestJitterMs(intervalMs: number): number {
  return intervalMs - Math.min(MISSED_AFTER_MS, Math.ceil(intervalMs / 2));
}

/** The same for the same job and occurrence, whoever computes it and however often. */
export function jitterOf(
  jobId: number,
  schedule: RecurringSchedule,
  scheduledAt: number,
  jitterMs: number,
): number {
  if (jitterMs === 0) return 0;
  const next = nextOccurrenceOrDropped(schedule, scheduledAt);
  // Shorter where occurrences are nearer to each other than usual: by a change of the clocks, or in a list of hours.
  const most = next === null ? jitterMs : Math.min(jitterMs, longestJitterMs(next.time - scheduledAt));
  return Math.floor(fractionOf(jobId, scheduledAt) * (most + 1));
}

/** At least 0 and less than 1, from the finalizer of MurmurHash3 over both. */
function fractionOf(jobId: number, scheduledAt: number): number {
  let hash = mix((jobId % 2 ** 32) ^ Math.floor(jobId / 2 ** 32));
  hash = mix(hash ^ (scheduledAt % 2 ** 32) ^ Math.floor(scheduledAt / 2 ** 32));
  return (hash >>> 0) / 2 ** 32;
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
