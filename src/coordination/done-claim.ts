/** What a node tells the master of claims that have their row in `jobresult`: objects here, a table on the wire. */
import type { OccurrenceState } from "../core/job.ts";
import type { Done } from "../gen/elasticjob/v1/node_service_pb.ts";
import { column } from "./columns.ts";

/** How a claim ended, and the job's state that follows from it: meaningless unless `projected`. */
export interface DoneClaim extends Omit<OccurrenceState, "status"> {
  readonly jobId: number;
  readonly claim: number;
  /** False: the node's projection did not apply, so the master has to read the rows and project. */
  readonly projected: boolean;
  /** A StoredStatus, as far as the master knows it. */
  readonly status: number;
}

export function doneMessage(sequence: number, rows: readonly DoneClaim[]): Done {
  return {
    $typeName: "elasticjob.v1.Done",
    sequence,
    jobId: rows.map(({ jobId }) => jobId),
    claim: rows.map(({ claim }) => claim),
    projected: column(rows, ({ projected }) => projected, false),
    status: column(rows, ({ status }) => status, 0),
    at: column(rows, ({ at }) => at, 0),
    scheduledAt: column(rows, ({ scheduledAt }) => scheduledAt, 0),
    attempt: column(rows, ({ attempt }) => attempt, 0),
    failures: column(rows, ({ failures }) => failures, 0),
    lost: column(rows, ({ lost }) => lost, 0),
    endedAt: column(rows, ({ endedAt }) => endedAt, 0),
  };
}

export function doneClaimsOf(table: Done): DoneClaim[] {
  return table.jobId.map((jobId, row) => ({
    jobId,
    claim: table.claim[row] ?? 0,
    projected: table.projected[row] ?? false,
    status: table.status[row] ?? 0,
    at: table.at[row] ?? 0,
    scheduledAt: table.scheduledAt[row] ?? 0,
    attempt: table.attempt[row] ?? 0,
    failures: table.failures[row] ?? 0,
    lost: table.lost[row] ?? 0,
    endedAt: table.endedAt[row] ?? 0,
  }));
}
