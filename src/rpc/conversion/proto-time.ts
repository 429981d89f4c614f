/**
 * Timestamps and durations to milliseconds. What has a finer fraction is rounded up (away from zero),
 * so that nothing runs before the instant asked for, and no duration that is not 0 becomes 0.
 */
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { LAST_INSTANT } from "../../core/calendar/local-schedule.ts";
import type { Problem } from "../../core/errors.ts";

// The ranges that the .proto files of protobuf itself state; only their JSON form enforces them.
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;
const MOST_DURATION_SECONDS = 315_576_000_000n;
const NANOS_A_SECOND = 1_000_000_000;

/** Undefined: there is none, or it is not valid, which is then one of the problems. */
export function msFromTimestamp(
  field: string,
  timestamp: Timestamp | undefined,
  problems: Problem[],
): number | undefined {
  if (!timestamp) return undefined;
  const { seconds, nanos } = timestamp;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos >= NANOS_A_SECOND) {
    problems.push({
      field,
      message: `is ${seconds} s and ${nanos} ns since 1970; an instant from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z is accepted`,
    });
    return undefined;
  }
  return Math.min(Number(seconds) * 1000 + Math.ceil(nanos / 1_000_000), LAST_INSTANT);
}

/** Undefined: there is none, or it is not valid, which is then one of the problems. */
export function msFromDuration(
  field: string,
  duration: Duration | undefined,
  problems: Problem[],
): number | undefined {
  if (!duration) return undefined;
  const { seconds, nanos } = duration;
  const size = seconds < 0n ? -seconds : seconds;
  const signsDiffer = (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0);
  if (size > MOST_DURATION_SECONDS || Math.abs(nanos) >= NANOS_A_SECOND || signsDiffer) {
    problems.push({
      field,
      message: `is ${seconds} s and ${nanos} ns, which is no valid duration; seconds up to ${MOST_DURATION_SECONDS} and nanos of the same sign up to ${NANOS_A_SECOND - 1} are accepted`,
    });
    return undefined;
  }
  const fractionMs = nanos < 0 ? Math.floor(nanos / 1_000_000) : Math.ceil(nanos / 1_000_000);
  return Number(seconds) * 1000 + fractionMs;
}

export function timestampOf(instant: number): Timestamp {
  const seconds = Math.floor(instant / 1000);
  return {
    $typeName: "google.protobuf.Timestamp",
    seconds: BigInt(seconds),
    nanos: (instant - seconds * 1000) * 1_000_000,
  };
}

export function durationOf(ms: number): Duration {
  return durationFromMs(ms);
}
