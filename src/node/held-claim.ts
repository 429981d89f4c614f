import type { Assignment } from "../coordination/assignment.ts";
import type { DoneClaim } from "../coordination/done-claim.ts";
import type { ClusterTime } from "../core/cluster-time.ts";
import { type JobState, OUTCOME, type ResultRecord } from "../core/job.ts";
import {
  type EndingPlan,
  HANDED_BACK,
  type NextOccurrence,
  project,
  retryAfterFailure,
  retryAfterLoss,
} from "../core/state/ending.ts";
import type { Execution, ExecutionEnd, RunningExecution } from "./executors.ts";

/** A job that was lost so often in a row gets a thread of its own. */
const ALONE_AFTER_LOSSES = 2;

/** A claim from its assignment until the master has acknowledged its end. */
export interface HeldClaim {
  readonly assignment: Assignment;
  /** The number of this incarnation, under which it was claimed. */
  readonly nodeNumber: number;
  /** Cluster time, as known when it came. */
  readonly time: ClusterTime;
  /** When it came, or when its time did. Monotonic. */
  arrivedAt: number;
  /** When the handler was called; until then, when the claim came. Epoch milliseconds. */
  startTime: number;
  state: "running" | "finished" | "written";
  execution: RunningExecution | null;
  /** Why this node gave it up while it ran; null: it did not. */
  handedBack: string | null;
}

/** The row in which a claim ends. */
export function resultRow(
  held: HeldClaim,
  end: ExecutionEnd,
  endTime: number,
  maxLost: number,
): ResultRecord {
  const { assignment, nodeNumber, startTime } = held;
  const { jobId, claim, attempt, scheduledAt, placement } = assignment;
  // Whatever the handler made of its abort when it was handed back: others may have been given the job by now.
  const how =
    held.handedBack === null
      ? howItEnds(assignment, end, endTime, maxLost)
      : handedBack(assignment, held.handedBack, endTime);
  return {
    jobId,
    claim,
    late: false,
    outcome: how.outcome,
    attempt,
    scheduledAt,
    startTime,
    endTime,
    retryAt: how.retryAt,
    node: nodeNumber,
    placement,
    output: how.output ?? null,
    error: how.error ?? null,
    reason: how.reason ?? "",
    skippedThrough: null,
    skippedCount: 0,
  };
}

type HowItEnds = Pick<ResultRecord, "outcome" | "retryAt"> &
  Partial<Pick<ResultRecord, "output" | "error" | "reason">>;

function howItEnds(assignment: Assignment, end: ExecutionEnd, endTime: number, maxLost: number): HowItEnds {
  switch (end.kind) {
    case "succeeded":
      return { outcome: OUTCOME.SUCCEEDED, output: end.output, retryAt: null };
    case "failed": {
      const retryAt = retryAfterFailure(
        planOf(assignment),
        endTime,
        end.isPermanent,
        end.retryAfterMs ?? null,
      );
      return { outcome: OUTCOME.FAILED, error: end.error, retryAt };
    }
    case "timed_out":
      return { outcome: OUTCOME.TIMED_OUT, retryAt: retryAfterFailure(planOf(assignment), endTime, false) };
    case "lost": {
      if (end.isBlameless) return handedBack(assignment, end.reason, endTime);
      const retryAt = retryAfterLoss(assignment.lost, endTime, maxLost);
      return { outcome: OUTCOME.LOST, reason: end.reason, retryAt };
    }
  }
}

function handedBack({ startAt }: Assignment, why: string, endTime: number): HowItEnds {
  // It may have been handed back before its time.
  const retryAt = Math.max(endTime, startAt);
  return { outcome: OUTCOME.LOST, reason: `${HANDED_BACK}: ${why}`, retryAt };
}

function planOf(assignment: Assignment): EndingPlan {
  return {
    next: nextOf(assignment),
    retryDelayMs: assignment.retryDelayMs,
    lastRetryAt: assignment.lastRetryAt,
  };
}

/** The job's state after that row. */
export function stateAfter({ assignment }: HeldClaim, row: ResultRecord): JobState {
  const { scheduledAt, attempt, failures, lost } = assignment;
  // The master knows when an older claim ended; this one has ended now.
  return project({ scheduledAt, attempt, failures, lost, endedAt: row.endTime }, row, nextOf(assignment));
}

function nextOf({ nextScheduledAt, nextDueAt }: Assignment): NextOccurrence | null {
  return nextScheduledAt === null ? null : { scheduledAt: nextScheduledAt, at: nextDueAt };
}

/** What the master is told of it. */
export function doneClaim({ jobId, claim }: Assignment, projected: boolean, state: JobState): DoneClaim {
  const { status, at, scheduledAt, attempt, failures, lost, endedAt } = state;
  return { jobId, claim, projected, status, at, scheduledAt, attempt, failures, lost, endedAt };
}

/** What its handler is to run. */
export function executionOf({ assignment, startTime }: HeldClaim): Execution {
  const { jobId, claim, attempt, name, handler, scheduledAt, timeoutMs, lost, payload } = assignment;
  return {
    jobId,
    claim,
    attempt,
    name,
    handler,
    payload: payload === "" ? null : payload,
    scheduledAt,
    timeoutMs: timeoutMs > 0 ? timeoutMs : null,
    deadline: timeoutMs > 0 ? startTime + timeoutMs : null,
    alone: lost >= ALONE_AFTER_LOSSES,
  };
}
