/**
 * How a claim's end changes its job. The row in `jobresult` decides (it says the outcome, and when
 * the occurrence is tried again, if at all); the job's row is projected from it, here and nowhere
 * else, so that whoever finds a RUNNING job with a row comes to the same result.
 */
import { type JobState, NEVER, OUTCOME, type Outcome, type ResultRecord, STORED_STATUS } from "./job.ts";

/** What the claim started from, as the claim left it: `attempt` counts this try. */
export type ClaimedState = Pick<JobState, "scheduledAt" | "attempt" | "failures" | "lost">;

/** What a claim carries, so that a node needs no schedule code. */
export interface EndingPlan {
  /** The occurrence after this one; null: there is none. */
  readonly nextAt: number | null;
  /** The wait after a failure; null: no more attempts. */
  readonly retryDelayMs: number | null;
}

/** How the reason of a LOST row begins when the job is not to blame for it: its node aborted it, or another job ended its thread. */
export const HANDED_BACK = "handed back";

/** From the second loss in a row on: 1 s, 2 s, 4 s … up to 100 s. */
export function lostDelayMs(lost: number): number {
  return lost < 2 ? 0 : Math.min(100_000, 1000 * 2 ** (lost - 2));
}

/** When the occurrence is tried again after a handler failed or timed out; null: it has ended. */
export function retryAfterFailure(plan: EndingPlan, endTime: number, permanent: boolean): number | null {
  if (permanent || plan.retryDelayMs === null) return null;
  const retryAt = endTime + plan.retryDelayMs;
  // A recurring job's next occurrence takes over from one that still fails.
  return plan.nextAt !== null && retryAt >= plan.nextAt ? null : retryAt;
}

/** When a LOST occurrence is tried again; null: it was lost too often. `lost`: in a row, before this one. */
export function retryAfterLoss(lost: number, endTime: number, maxLost: number): number | null {
  return lost + 1 >= maxLost ? null : endTime + lostDelayMs(lost + 1);
}

const STATUS_AT_END = {
  [OUTCOME.SUCCEEDED]: STORED_STATUS.SUCCEEDED,
  [OUTCOME.FAILED]: STORED_STATUS.FAILED,
  [OUTCOME.TIMED_OUT]: STORED_STATUS.FAILED,
  [OUTCOME.LOST]: STORED_STATUS.FAILED,
  [OUTCOME.CANCELLED]: STORED_STATUS.CANCELLED,
  [OUTCOME.SKIPPED]: STORED_STATUS.SUCCEEDED,
} as const satisfies Record<Outcome, number>;

/** The job's state after the final row of its claim. */
export function project(
  claimed: ClaimedState,
  row: Pick<ResultRecord, "outcome" | "retryAt" | "reason">,
  nextAt: number | null,
): JobState {
  const failed = row.outcome === OUTCOME.FAILED || row.outcome === OUTCOME.TIMED_OUT;
  const failures = claimed.failures + (failed ? 1 : 0);
  const lost = row.outcome !== OUTCOME.LOST ? 0 : claimed.lost + (row.reason.startsWith(HANDED_BACK) ? 0 : 1);
  if (row.retryAt !== null) {
    return {
      status: STORED_STATUS.WAITING,
      at: row.retryAt,
      scheduledAt: claimed.scheduledAt,
      attempt: claimed.attempt,
      failures,
      lost,
    };
  }
  if (nextAt !== null) {
    return {
      status: STORED_STATUS.WAITING,
      at: nextAt,
      scheduledAt: nextAt,
      attempt: 0,
      failures: 0,
      lost: row.outcome === OUTCOME.LOST ? 0 : lost,
    };
  }
  const status = STATUS_AT_END[row.outcome];
  return { status, at: NEVER, scheduledAt: claimed.scheduledAt, attempt: claimed.attempt, failures, lost };
}
