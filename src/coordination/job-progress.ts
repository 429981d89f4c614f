/** How far jobs are, as objects here and as a table on the wire. */
import type { ClaimProgress } from "../core/log/progress.ts";
import type { JobsProgress } from "../gen/elasticjob/v1/node_service_pb.ts";

export function progressMessage(all: readonly ClaimProgress[]): JobsProgress {
  return {
    $typeName: "elasticjob.v1.JobsProgress",
    jobId: all.map(({ jobId }) => jobId),
    claim: all.map(({ claim }) => claim),
    fraction: all.map(({ fraction }) => fraction),
    text: all.map(({ text }) => text),
    at: all.map(({ at }) => at),
  };
}

export function progressOf(table: JobsProgress): ClaimProgress[] {
  return table.jobId.map((jobId, row) => ({
    jobId,
    claim: table.claim[row] ?? 0,
    fraction: table.fraction[row] ?? 0,
    text: table.text[row] ?? "",
    at: table.at[row] ?? 0,
  }));
}
