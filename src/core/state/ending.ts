/**
 * How a claim's end changes its job. The row in `jobresult` decides (it says the outcome, and when
 * the occurrence is tried again, if at all); the job's row is projected from it, here and nowhere
 * else, so that whoever finds a RUNNING job with a row comes to the same result.
 */
import {
  farEnd,
  type OccurrenceState,
  OUTCOME,
  type Outcome,
  type ResultRecord,
  STORED_STATUS,
} from "../job.ts";

/** What the claim started from, as the claim left it: `attempt` counts this try. */
export type ClaimedState = Pick<OccurrenceState, "scheduledAt" | "attempt" | "failures" | "lost" | "endedAt">;

/** An occurrence, and when it is due. */
export interface NextOccurrence {
  readonly scheduledAt: number;
  readonly at: number;
}

/** What a claim carries, so that a node needs no schedule code. */
export interface EndingPlan {
  /** The occurrence after this one; null: there is none. */
  readonly next: NextOccurrence | null;
  /** The wait after a failure; null: no more attempts. */
  readonly retryDelayMs: number | null;
  /** A retry later than this is not worth starting; null: however late. */
  readonly lastRetryAt: number | null;
  /** Failed tries before this one. */
  readonly failures: number;
}

/** When an occurrence is tried again, or why it is not. */
export type Retry =
  | { readonly at: number; readonly whyOver: "" }
  | { readonly at: null; readonly whyOver: string };

/** How the reason of a LOST row begins when the job is not to blame for it: its node aborted it, or another job ended its thread. */
export const HANDED_BACK = "handed back";

/** From the second loss in a row on: 1 s, 2 s, 4 s … up to 100 s. */
export function lostDelayMs(lost: number): number {
  return lost < 2 ? 0 : Math.min(100_000, 1000 * 2 ** (lost - 2));
}

/** The longest wait that a handler can choose. */
export const MAX_RETRY_AFTER_MS = 365 * 86_400_000;

/**
 * Whether the occurrence is tried again after a handler failed or timed out.
 * `chosenDelayMs`: the handler's own choice goes before the policy's delay, not before its number of attempts.
 */
export function retryAfterFailure(
  plan: EndingPlan,
  endTime: number,
  permanent: boolean,
  chosenDelayMs: number | null = null,
): Retry {
  const { next, retryDelayMs, lastRetryAt } = plan;
  if (permanent) return over("its error is permanent");
  if (retryDelayMs === null) {
    const attempts = plan.failures + 1;
    return over(`${attempts} of ${attempts} attempts`);
  }
  const delayMs =
    chosenDelayMs === null
      ? retryDelayMs
      : Math.ceil(Math.min(MAX_RETRY_AFTER_MS, Math.max(0, chosenDelayMs)));
  const at = endTime + delayMs;
  // A recurring job's next occurrence takes over from one that still fails.
  if (next !== null && at >= next.at) return over("its next occurrence takes over before the next try");
  if (lastRetryAt !== null && at > lastRetryAt) return over("its deadline is before the next try");
  return { at, whyOver: "" };
}

/** Whether a LOST occurrence is tried again. `lost`: in a row, before this one. */
export function retryAfterLoss(lost: number, endTime: number, maxLost: number): Retry {
  if (lost + 1 >= maxLost) return over(`lost ${lost + 1} times in a row`);
  return { at: endTime + lostDelayMs(lost + 1), whyOver: "" };
}

function over(why: string): Retry {
  return { at: null, whyOver: why };
}

const STATUS_AT_END = {
  [OUTCOME.SUCCEEDED]: STORED_STATUS.SUCCEEDED,
  [OUTCOME.FAILED]: STORED_STATUS.FAILED,
  [OUTCOME.TIMED_OUT]: STORED_STATUS.FAILED,
  [OUTCOME.LOST]: STORED_STATUS.FAILED,
  [OUTCOME.CANCELLED]: STORED_STATUS.CANCELLED,
  [OUTCOME.SKIPPED]: STORED_STATUS.CANCELLED,
} as const satisfies Record<Outcome, number>;

/** The job's state after the final row of its claim. */
export function project(
  claimed: ClaimedState,
  row: Pick<ResultRecord, "outcome" | "retryAt" | "reason" | "endTime" | "node">,
  next: NextOccurrence | null,
): OccurrenceState {
  const failed = row.outcome === OUTCOME.FAILED || row.outcome === OUTCOME.TIMED_OUT;
  const failures = claimed.failures + (failed ? 1 : 0);
  // A claim for nobody ran nothing: it is no attempt, no loss, and nothing can have fallen due beside it.
  const isForNobody = row.node === 0;
  const isCounted = !isForNobody && !row.reason.startsWith(HANDED_BACK);
  const lost = row.outcome !== OUTCOME.LOST ? 0 : claimed.lost + (isCounted ? 1 : 0);
  const endedAt = isForNobody ? claimed.endedAt : row.endTime;
  if (row.retryAt !== null) {
    const { scheduledAt } = claimed;
    const attempt = claimed.attempt - (isForNobody ? 1 : 0);
    return { status: STORED_STATUS.WAITING, at: row.retryAt, scheduledAt, attempt, failures, lost, endedAt };
  }
  if (next !== null) {
    const { at, scheduledAt } = next;
    return { status: STORED_STATUS.WAITING, at, scheduledAt, attempt: 0, failures: 0, lost: 0, endedAt };
  }
  const { scheduledAt, attempt } = claimed;
  const at = farEnd(row.endTime);
  return { status: STATUS_AT_END[row.outcome], at, scheduledAt, attempt, failures, lost, endedAt };
}
