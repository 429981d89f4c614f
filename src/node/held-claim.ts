import type { Assignment } from "../coordination/assignment.ts";
import type { DoneClaim } from "../coordination/done-claim.ts";
import type { ClusterTime } from "../core/cluster-time.ts";
import { type OccurrenceState, OUTCOME, type Outcome, type ResultRecord } from "../core/job.ts";
import type { Progress } from "../core/log/progress.ts";
import {
  type EndingPlan,
  HANDED_BACK,
  type NextOccurrence,
  project,
  type Retry,
  retryAfterFailure,
  retryAfterLoss,
} from "../core/state/ending.ts";
import type { Execution, ExecutionEnd, RunningExecution } from "./executors.ts";
import type { ClaimLog } from "./log/job-logs.ts";

/** A job that was lost so often in a row gets a thread of its own. */
const ALONE_AFTER_LOSSES = 2;

/** A claim from its assignment until the master has acknowledged its end. */
export interface HeldClaim {
  readonly assignment: Assignment;
  /** The number of this incarnation, under which it was claimed. */
  readonly nodeNumber: number;
  /** The epoch of the master that gave it. */
  readonly epoch: number;
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
  /** What its handler says; null: nothing so far. */
  log: ClaimLog | null;
  /** How far it is; null: its handler has not said. */
  progress: Progress | null;
}

/** How a claim ends: its row, and what follows from that. */
export interface ClaimEnd {
  readonly row: ResultRecord;
  /** The job's state after that row. */
  readonly state: OccurrenceState;
  /** Why the occurrence is not tried again; empty: it is, or it succeeded. */
  readonly whyOver: string;
}

export function claimEnd(held: HeldClaim, end: ExecutionEnd, endTime: number, maxLost: number): ClaimEnd {
  const { assignment, nodeNumber, startTime } = held;
  const { jobId, claim, attempt, scheduledAt, placement } = assignment;
  // Whatever the handler made of its abort when it was handed back: others may have been given the job by now.
  const how =
    held.handedBack === null
      ? howItEnds(assignment, end, endTime, maxLost)
      : handedBack(assignment, held.handedBack, endTime);
  const row: ResultRecord = {
    jobId,
    claim,
    late: false,
    outcome: how.outcome,
    attempt,
    scheduledAt,
    startTime,
    endTime,
    retryAt: how.retry?.at ?? null,
    node: nodeNumber,
    placement,
    output: how.output ?? null,
    error: how.error ?? null,
    reason: how.reason ?? "",
    skippedThrough: null,
    skippedCount: 0,
  };
  return { row, state: stateAfter(assignment, row), whyOver: how.retry?.whyOver ?? "" };
}

interface HowItEnds extends Partial<Pick<ResultRecord, "output" | "error" | "reason">> {
  readonly outcome: Outcome;
  /** Unset: there is nothing to try again. */
  readonly retry?: Retry;
}

function howItEnds(assignment: Assignment, end: ExecutionEnd, endTime: number, maxLost: number): HowItEnds {
  switch (end.kind) {
    case "succeeded":
      return { outcome: OUTCOME.SUCCEEDED, output: end.output };
    case "failed": {
      const { error, isPermanent, retryAfterMs = null } = end;
      const retry = retryAfterFailure(planOf(assignment), endTime, isPermanent, retryAfterMs);
      return { outcome: OUTCOME.FAILED, error, retry };
    }
    case "timed_out":
      return { outcome: OUTCOME.TIMED_OUT, retry: retryAfterFailure(planOf(assignment), endTime, false) };
    case "lost": {
      if (end.isBlameless) return handedBack(assignment, end.reason, endTime);
      const retry = retryAfterLoss(assignment.lost, endTime, maxLost);
      return { outcome: OUTCOME.LOST, reason: end.reason, retry };
    }
  }
}

function handedBack({ startAt }: Assignment, why: string, endTime: number): HowItEnds {
  // It may have been handed back before its time.
  const retry: Retry = { at: Math.max(endTime, startAt), whyOver: "" };
  return { outcome: OUTCOME.LOST, reason: `${HANDED_BACK}: ${why}`, retry };
}

function planOf(assignment: Assignment): EndingPlan {
  return {
    next: nextOf(assignment),
    retryDelayMs: assignment.retryDelayMs,
    lastRetryAt: assignment.lastRetryAt,
    failures: assignment.failures,
  };
}

function stateAfter(assignment: Assignment, row: ResultRecord): OccurrenceState {
  const { scheduledAt, attempt, failures, lost } = assignment;
  // The master knows when an older claim ended; this one has ended now.
  return project({ scheduledAt, attempt, failures, lost, endedAt: row.endTime }, row, nextOf(assignment));
}

function nextOf({ nextScheduledAt, nextDueAt }: Assignment): NextOccurrence | null {
  return nextScheduledAt === null ? null : { scheduledAt: nextScheduledAt, at: nextDueAt };
}

/** What the master is told of it. */
export function doneClaim(
  { jobId, claim }: Assignment,
  projected: boolean,
  state: OccurrenceState,
): DoneClaim {
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
