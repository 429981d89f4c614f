/** What becomes of the claims that a node lists in its hello: the database knows which of them are its own. */
import { create } from "@bufbuild/protobuf";
import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import {
  type ClaimVerdict,
  ClaimVerdictSchema,
  type HeldClaim,
  HeldState,
  Verdict,
} from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { ClaimRef, JobStore } from "../../store/job-store.ts";

export interface Judgement {
  /** One for each claim. */
  readonly verdicts: ClaimVerdict[];
  /** Jobs that are RUNNING at this node, under a claim it listed. */
  readonly running: JobRecord[];
  /** Claims that it is to hold no more. Of the running jobs' too, where the handler has ended and the row is there. */
  readonly over: ClaimRef[];
}

export async function judgeClaims(
  store: JobStore,
  node: number,
  claims: readonly HeldClaim[],
): Promise<Judgement> {
  const verdicts: ClaimVerdict[] = [];
  const running: JobRecord[] = [];
  const over: ClaimRef[] = [];
  if (claims.length === 0) return { verdicts, running, over };
  const records = await store.readJobs(claims.map(({ jobId }) => jobId));
  // Of a job's newest claim alone: the node may hold an older one of the same job that is written.
  const rows = await store.readFinalRows(
    claims.filter(({ jobId, claim }) => records.get(jobId)?.claim === claim),
  );
  const say = (jobId: number, claim: number, verdict: Verdict) =>
    verdicts.push(create(ClaimVerdictSchema, { jobId, claim, verdict }));
  for (const { jobId, claim, state } of claims) {
    const record = records.get(jobId);
    const isHeld = record?.status === STORED_STATUS.RUNNING && record.claim === claim && record.node === node;
    if (isHeld) running.push(record);
    if (isHeld && !rows.has(jobId)) {
      say(jobId, claim, Verdict.KEEP);
    } else if (state === HeldState.RUNNING) {
      say(jobId, claim, Verdict.ABORT);
      // Cancelled, as a rule. The job goes on when this node says that the handler has ended, not before (G7).
      if (!isHeld) over.push({ jobId, claim });
    } else {
      say(jobId, claim, Verdict.FORGET);
      over.push({ jobId, claim });
    }
  }
  return { verdicts, running, over };
}
