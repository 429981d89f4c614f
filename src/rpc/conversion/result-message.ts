/** A row of `jobresult` as callers see it. */
import { create } from "@bufbuild/protobuf";
import type { JobError, ResultRecord } from "../../core/job.ts";
import { JobErrorSchema, type JobResult, JobResultSchema } from "../../gen/elasticjob/v1/job_pb.ts";
import { jobIdToString } from "./job-id.ts";
import { carriedJson } from "./json-value.ts";
import { timestampOf } from "./proto-time.ts";

/** `nodeName` turns a node's number into its name. */
export function resultToMessage(result: ResultRecord, nodeName: (node: number) => string): JobResult {
  const { value: output, text: outputJson } = carriedJson(result.output);
  return create(JobResultSchema, {
    jobId: jobIdToString(result.jobId),
    scheduledAt: timestampOf(result.scheduledAt),
    attempt: result.attempt,
    claim: result.claim,
    outcome: result.outcome,
    ...(output && { output }),
    ...(outputJson !== undefined && { outputJson }),
    ...(result.error && { error: errorToMessage(result.error) }),
    ...(result.retryAt !== null && { retryAt: timestampOf(result.retryAt) }),
    nodeId: result.node === 0 ? "" : nodeName(result.node),
    placement: result.placement,
    startTime: timestampOf(result.startTime),
    endTime: timestampOf(result.endTime),
    late: result.late,
    reason: result.reason,
    ...(result.skippedThrough !== null && { skippedThrough: timestampOf(result.skippedThrough) }),
    skippedCount: result.skippedCount,
  });
}

/** What a handler throws may be any text; protobuf takes only valid Unicode. */
function errorToMessage({ name, message, stack }: JobError) {
  return create(JobErrorSchema, {
    name: name.toWellFormed(),
    message: message.toWellFormed(),
    stack: (stack ?? "").toWellFormed(),
  });
}
