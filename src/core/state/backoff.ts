/** How long a failed occurrence waits for its next try. */
import type { RetryPolicy } from "../job.ts";
import type { Random } from "../random.ts";

/**
 * The wait after the `failures`-th failure (1, 2, …): exponential, with "equal jitter", which is
 * half of the wait fixed and half of it random (Marc Brooker, "Exponential Backoff And Jitter", AWS
 * Architecture Blog, 2015). Full jitter spreads a crowd a little better, but can retry at once, and
 * people who set a backoff expect to see one. At least 1 ms, never over `maxBackoffMs`.
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, random: Random): number {
  // May be Infinity after many failures; the cap takes care of it.
  const exponentialMs = policy.initialBackoffMs * policy.multiplier ** Math.max(0, failures - 1);
  const ceilingMs = Math.min(policy.maxBackoffMs, exponentialMs);
  return Math.max(1, Math.round(ceilingMs / 2 + (ceilingMs / 2) * random.next()));
}
