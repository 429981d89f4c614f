import type { ClusterTime } from "../core/cluster-time.ts";
import {
  HANDED_BACK,
  type NextOccurrence,
  project,
  retryAfterFailure,
  retryAfterLoss,
} from "../core/ending.ts";
import { type JobState, OUTCOME, type ResultRecord } from "../core/job.ts";
import type { Assignment } from "../gen/elasticjob/v1/node_service_pb.ts";
import type { ExecutionEnd, RunningExecution } from "./executors.ts";

/** A claim from its assignment until the master has acknowledged its end. */
export interface HeldClaim {
  readonly assignment: Assignment;
  /** The number of this incarnation, under which it was claimed. */
  readonly nodeNumber: number;
  /** Cluster time, as known when it came. */
  readonly time: ClusterTime;
  /** Monotonic. */
  readonly arrivedAt: number;
  /** When the handler was called; until then, when the claim came. Epoch milliseconds. */
  startTime: number;
  state: "running" | "finished" | "written";
  execution: RunningExecution | null;
  /** Why this node gave it up while it ran; null: it did not. */
  handedBack: string | null;
}

export function claimKey(claim: { readonly jobId: number; readonly claim: number }): string {
  return `${claim.jobId}/${claim.claim}`;
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
  const plan = {
    next: nextOf(assignment),
    retryDelayMs: assignment.retryDelayMs ?? null,
    lastRetryAt: assignment.lastRetryAt ?? null,
  };
  const row = {
    jobId,
    claim,
    late: false,
    attempt,
    scheduledAt,
    startTime,
    endTime,
    node: nodeNumber,
    placement,
    output: null,
    error: null,
    reason: "",
    skippedThrough: null,
    skippedCount: 0,
  };
  if (held.handedBack !== null) {
    // Whatever the handler made of its abort: others may have been given the job by now.
    return { ...row, outcome: OUTCOME.LOST, reason: `${HANDED_BACK}: ${held.handedBack}`, retryAt: endTime };
  }
  switch (end.kind) {
    case "succeeded":
      return { ...row, outcome: OUTCOME.SUCCEEDED, output: end.output, retryAt: null };
    case "failed": {
      const retryAt = retryAfterFailure(plan, endTime, end.isPermanent, end.retryAfterMs ?? null);
      return { ...row, outcome: OUTCOME.FAILED, error: end.error, retryAt };
    }
    case "timed_out":
      return { ...row, outcome: OUTCOME.TIMED_OUT, retryAt: retryAfterFailure(plan, endTime, false) };
    case "lost":
      return end.isBlameless
        ? { ...row, outcome: OUTCOME.LOST, reason: `${HANDED_BACK}: ${end.reason}`, retryAt: endTime }
        : {
            ...row,
            outcome: OUTCOME.LOST,
            reason: end.reason,
            retryAt: retryAfterLoss(assignment.lost, endTime, maxLost),
          };
  }
}

/** The job's state after that row. */
export function stateAfter({ assignment }: HeldClaim, row: ResultRecord): JobState {
  // The master knows when an older claim ended; this one has ended now.
  return project({ ...assignment, endedAt: row.endTime }, row, nextOf(assignment));
}

function nextOf({ nextScheduledAt, nextDueAt }: Assignment): NextOccurrence | null {
  return nextScheduledAt === undefined ? null : { scheduledAt: nextScheduledAt, at: nextDueAt };
}
