import { retryDelayMs } from "../core/backoff.ts";
import type { JobRecord } from "../core/job.ts";
import { dueAt } from "../core/misfire.ts";
import { nextDue } from "../core/next-due.ts";
import type { Random } from "../core/random.ts";
import type { Assignment } from "../gen/elasticjob/v1/node_service_pb.ts";

/** Payload bytes of one message to a node. */
const MAX_ASSIGN_BYTES = 1 << 20;

const encoder = new TextEncoder();
const NO_PAYLOAD = new Uint8Array();

/** All that a node needs to run a job that was claimed at `now`, and to write how it ended. */
export function assignmentOf(
  record: JobRecord,
  placement: string,
  { random, now }: { readonly random: Random; readonly now: number },
): Assignment {
  const { spec } = record;
  const { retry } = spec;
  const canRetry = retry.maxAttempts === 0 || record.failures + 1 < retry.maxAttempts;
  const next = nextDue(record, record.scheduledAt);
  // A literal, not `create`, which would cost more than all else here.
  const assignment: Assignment = {
    $typeName: "elasticjob.v1.Assignment",
    jobId: record.id,
    claim: record.claim,
    revision: record.revision,
    attempt: record.attempt,
    failures: record.failures,
    lost: record.lost,
    name: spec.name,
    handler: spec.handler,
    payload: spec.payload === null ? NO_PAYLOAD : encoder.encode(spec.payload),
    scheduledAt: record.scheduledAt,
    timeoutMs: spec.timeoutMs ?? 0,
    slots: spec.requirements.slots,
    placement,
    nextDueAt: next?.at ?? 0,
    startAt: record.at > now ? record.at : 0,
  };
  if (next !== null) assignment.nextScheduledAt = next.scheduledAt;
  if (spec.deadlineMs !== null) assignment.lastRetryAt = dueAt(record) + spec.deadlineMs;
  if (canRetry) assignment.retryDelayMs = retryDelayMs(retry, record.failures + 1, random);
  return assignment;
}

/** Parts that fit into a message. */
export function bySize(assignments: readonly Assignment[]): Assignment[][] {
  const messages: Assignment[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const assignment of assignments) {
    bytes += assignment.payload.length;
    const message = messages.at(-1);
    if (message === undefined || bytes > MAX_ASSIGN_BYTES) {
      messages.push([assignment]);
      bytes = assignment.payload.length;
    } else {
      message.push(assignment);
    }
  }
  return messages;
}
