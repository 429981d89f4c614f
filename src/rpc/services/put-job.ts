import { create } from "@bufbuild/protobuf";
import { ElasticJobError, quote } from "../../core/errors.ts";
import {
  AddJobFailureSchema,
  type PutJobRequest,
  type PutJobResponse,
  PutJobResponseSchema,
  type PutJobSetOutcome,
  type PutJobSetRequest,
  type PutJobSetResponse,
  PutJobSetResponseSchema,
  PutOutcome,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { AuditedChange, PutSet, SetJobOutcome } from "../../master/job-api.ts";
import { callerIn } from "../call-caller.ts";
import { jobIdToString } from "../conversion/job-id.ts";
import { nextRunOf } from "../conversion/job-message.ts";
import { timestampOf } from "../conversion/proto-time.ts";
import { describePut } from "../conversion/put-request.ts";
import { describeSet } from "../conversion/put-set-request.ts";
import { codeText } from "../error-codes.ts";
import type { CallContext, MasterCaller } from "../forwarding/master-call.ts";
import { refuseUnknownFields } from "../forwarding/unknown-fields.ts";
import type { RpcLimits } from "../limits.ts";

const OUTCOMES = {
  created: PutOutcome.CREATED,
  updated: PutOutcome.UPDATED,
  unchanged: PutOutcome.UNCHANGED,
  deleted: PutOutcome.DELETED,
} as const;

interface Parts {
  readonly master: MasterCaller;
  readonly limits: RpcLimits;
}

/** Repeated until it is answered: a second one finds what the first one did. */
export function putJob(
  request: PutJobRequest,
  context: CallContext,
  { master, limits }: Parts,
): Promise<PutJobResponse> {
  return master.call(context, {
    repeatable: true,
    forward: (peer, call) => peer.jobs.putJob(request, call),
    async onMaster(api) {
      refuseUnknownFields(request, context);
      const { idempotencyKey, job } = request;
      const described = describePut(idempotencyKey, job, () => api.clusterTime(), limits);
      const put = await api.audited(
        changeOf(context, "PutJob", quote(idempotencyKey)),
        () => api.putJob(described),
        (result) => ({ detail: result.kind, addedJobId: fieldsOf(result).jobId }),
      );
      return messageOf(put);
    },
  });
}

/** Repeated likewise. */
export function putJobSet(
  request: PutJobSetRequest,
  context: CallContext,
  { master, limits }: Parts,
): Promise<PutJobSetResponse> {
  return master.call(context, {
    repeatable: true,
    forward: (peer, call) => peer.jobs.putJobSet(request, call),
    async onMaster(api) {
      refuseUnknownFields(request, context);
      const described = describeSet(request, () => api.clusterTime(), limits);
      const put = await api.audited(
        changeOf(context, "PutJobSet", quote(request.set)),
        () => api.putSet(described),
        (result) => ({ detail: countsOf(result) }),
      );
      return create(PutJobSetResponseSchema, {
        applied: put.isApplied,
        ...(put.generation !== null && { generation: BigInt(put.generation) }),
        outcomes: put.outcomes.map(({ name, outcome }) => ({ name, result: resultOf(outcome) })),
      });
    },
  });
}

/** Which job it is about, nobody knows before it is made. */
function changeOf(context: CallContext, method: string, detail: string): AuditedChange {
  return { caller: callerIn(context), method, jobId: null, nodeId: "", detail };
}

/** As `2 created, 1 unchanged`. */
function countsOf({ isApplied, outcomes }: PutSet): string {
  if (!isApplied) return "a newer generation is there";
  const counts = new Map<string, number>();
  for (const { outcome } of outcomes) {
    const kind = outcome instanceof ElasticJobError ? "refused" : outcome.kind;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ");
}

function resultOf(outcome: SetJobOutcome): PutJobSetOutcome["result"] {
  if (outcome instanceof ElasticJobError) {
    const { message } = outcome;
    return { case: "failure", value: create(AddJobFailureSchema, { code: codeText(outcome), message }) };
  }
  return { case: "put", value: messageOf(outcome) };
}

function messageOf(put: Exclude<SetJobOutcome, ElasticJobError>): PutJobResponse {
  const { jobId, nextRunAt, ...rest } = fieldsOf(put);
  return create(PutJobResponseSchema, {
    ...rest,
    outcome: OUTCOMES[put.kind],
    jobId: jobIdToString(jobId),
    ...(nextRunAt !== null && { nextRunAt: timestampOf(nextRunAt) }),
  });
}

function fieldsOf(put: Exclude<SetJobOutcome, ElasticJobError>) {
  switch (put.kind) {
    case "created": {
      const { jobId, nextRunAt, reason = "" } = put.added;
      return { jobId, nextRunAt, revision: 0, reason };
    }
    case "deleted":
      return { jobId: put.jobId, nextRunAt: null };
    case "updated":
    case "unchanged": {
      const { record, reason } = put.view;
      return { jobId: record.id, nextRunAt: nextRunOf(record), revision: record.revision, reason };
    }
  }
}
