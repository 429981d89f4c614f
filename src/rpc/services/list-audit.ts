import { create } from "@bufbuild/protobuf";
import type { AuditFilter, AuditRecord } from "../../core/audit/audit-record.ts";
import { invalidArgument, type Problem } from "../../core/errors.ts";
import {
  AuditRecordSchema,
  type GetAuditRequest,
  type GetAuditResponse,
  GetAuditResponseSchema,
} from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import type { JobStore } from "../../store/job-store.ts";
import { jobIdFromString, jobIdToString } from "../conversion/job-id.ts";
import { auditPageToken, readAuditPageToken } from "../conversion/page-token.ts";
import { msFromTimestamp, timestampOf } from "../conversion/proto-time.ts";
import { pageSizeOf } from "./page-size.ts";

export async function listAudit(request: GetAuditRequest, store: JobStore): Promise<GetAuditResponse> {
  const filter = filterOf(request);
  const { items, next } = await store.listAudit(filter, {
    before: readAuditPageToken(request.pageToken, filter),
    limit: pageSizeOf(request.pageSize),
  });
  return create(GetAuditResponseSchema, {
    records: items.map(toMessage),
    nextPageToken: next === null ? "" : auditPageToken(filter, next),
  });
}

function filterOf(request: GetAuditRequest): AuditFilter & Readonly<Record<string, string | number>> {
  const problems: Problem[] = [];
  const since = msFromTimestamp("since", request.since, problems);
  const until = msFromTimestamp("until", request.until, problems);
  if (problems.length > 0) throw invalidArgument(problems);
  const { caller, method, jobId, nodeId } = request;
  return {
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(caller !== "" && { caller }),
    ...(method !== "" && { method }),
    ...(jobId !== "" && { jobId: jobIdFromString(jobId) }),
    ...(nodeId !== "" && { nodeId }),
  };
}

function toMessage(record: AuditRecord) {
  const { at, id, caller, method, nodeId, count, detail, outcome } = record;
  return create(AuditRecordSchema, {
    at: timestampOf(at),
    auditId: String(id),
    caller: caller.name,
    address: caller.address,
    forwardedFor: caller.forwardedFor,
    method,
    jobId: idText(record.jobId),
    nodeId,
    firstJobId: idText(record.firstJobId),
    lastJobId: idText(record.lastJobId),
    count,
    detail,
    outcome,
  });
}

function idText(jobId: number | null): string {
  return jobId === null ? "" : jobIdToString(jobId);
}
