/** How an occurrence is tried again, checked. */
import type { Problem } from "../errors.ts";
import type { RetryPolicy } from "../job.ts";
import { durationProblem, integerProblem } from "./field-checks.ts";
import { FIELD_RANGES } from "./field-ranges.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

const DEFAULT_INITIAL_BACKOFF_MS = 1_000;
const DEFAULT_MAX_BACKOFF_MS = 100_000;

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 0,
  initialBackoffMs: DEFAULT_INITIAL_BACKOFF_MS,
  maxBackoffMs: DEFAULT_MAX_BACKOFF_MS,
  multiplier: 2,
};

/** With the defaults of what is left out. */
export function filledRetry(raw: NonNullable<RawJobSpec["retry"]>): RetryPolicy {
  // When only one of the two is given, the other's default gives way to it.
  const initialBackoffMs =
    raw.initialBackoffMs ??
    Math.min(DEFAULT_INITIAL_BACKOFF_MS, raw.maxBackoffMs ?? DEFAULT_INITIAL_BACKOFF_MS);
  const maxBackoffMs = raw.maxBackoffMs ?? Math.max(DEFAULT_MAX_BACKOFF_MS, initialBackoffMs);
  return {
    maxAttempts: raw.maxAttempts ?? DEFAULT_RETRY.maxAttempts,
    initialBackoffMs,
    maxBackoffMs,
    multiplier: raw.multiplier ?? DEFAULT_RETRY.multiplier,
  };
}

export function checkRetry(raw: NonNullable<RawJobSpec["retry"]>, problems: Problem[]): RetryPolicy {
  const retry = filledRetry(raw);
  const { initialBackoffMs, maxBackoffMs } = retry;
  integerProblem("retry.maxAttempts", retry.maxAttempts, FIELD_RANGES.maxAttempts, problems);
  // A wait of 0 would be a loop as fast as the machine.
  const initialIsFine = durationProblem("retry.initialBackoff", initialBackoffMs, 1, problems);
  const maxIsFine = durationProblem("retry.maxBackoff", maxBackoffMs, 1, problems);
  if (initialIsFine && maxIsFine && maxBackoffMs < initialBackoffMs) {
    problems.push({
      field: "retry.maxBackoff",
      message: `${maxBackoffMs / 1000}s is shorter than retry.initialBackoff, ${initialBackoffMs / 1000}s; at least that is accepted`,
    });
  }
  const { least, most } = FIELD_RANGES.multiplier;
  if (!(retry.multiplier >= least && retry.multiplier <= most)) {
    const message = `is ${retry.multiplier}; ${least} to ${most} is accepted`;
    problems.push({ field: "retry.multiplier", message });
  }
  return retry;
}
