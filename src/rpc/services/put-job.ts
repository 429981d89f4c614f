import { create } from "@bufbuild/protobuf";
import {
  type PutJobRequest,
  type PutJobResponse,
  PutJobResponseSchema,
  PutOutcome,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { PutJob } from "../../master/job-api.ts";
import { jobIdToString } from "../conversion/job-id.ts";
import { nextRunOf } from "../conversion/job-message.ts";
import { timestampOf } from "../conversion/proto-time.ts";
import { describePut } from "../conversion/put-request.ts";
import type { CallContext, MasterCaller } from "../forwarding/master-call.ts";
import { refuseUnknownFields } from "../forwarding/unknown-fields.ts";
import type { RpcLimits } from "../limits.ts";

const OUTCOMES = {
  created: PutOutcome.CREATED,
  updated: PutOutcome.UPDATED,
  unchanged: PutOutcome.UNCHANGED,
} as const;

/** Repeated until it is answered: a second one finds what the first one did. */
export function putJob(
  request: PutJobRequest,
  context: CallContext,
  { master, limits }: { readonly master: MasterCaller; readonly limits: RpcLimits },
): Promise<PutJobResponse> {
  return master.call(context, {
    repeatable: true,
    forward: (peer, call) => peer.jobs.putJob(request, call),
    async onMaster(api) {
      refuseUnknownFields(request, context);
      const { idempotencyKey, job } = request;
      return toMessage(await api.putJob(describePut(idempotencyKey, job, () => api.clusterTime(), limits)));
    },
  });
}

function toMessage(put: PutJob): PutJobResponse {
  const outcome = OUTCOMES[put.kind];
  if (put.kind === "created") {
    const { jobId, nextRunAt, reason = "" } = put.added;
    return answer({ outcome, jobId, nextRunAt, revision: 0, reason });
  }
  const { record, reason } = put.view;
  return answer({
    outcome,
    jobId: record.id,
    nextRunAt: nextRunOf(record),
    revision: record.revision,
    reason,
  });
}

function answer(fields: {
  readonly outcome: PutOutcome;
  readonly jobId: number;
  readonly nextRunAt: number | null;
  readonly revision: number;
  readonly reason: string;
}): PutJobResponse {
  const { jobId, nextRunAt, ...rest } = fields;
  return create(PutJobResponseSchema, {
    ...rest,
    jobId: jobIdToString(jobId),
    ...(nextRunAt !== null && { nextRunAt: timestampOf(nextRunAt) }),
  });
}
