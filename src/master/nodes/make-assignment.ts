import type { Assignment } from "../../coordination/assignment.ts";
import { nextDue } from "../../core/calendar/next-due.ts";
import type { JobRecord } from "../../core/job.ts";
import type { Random } from "../../core/random.ts";
import { retryDelayMs } from "../../core/state/backoff.ts";
import { dueAt } from "../../core/state/misfire.ts";

/** Characters of the payloads in one message to a node: each takes one to three bytes. */
const MAX_ASSIGN_CHARACTERS = 1 << 19;

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
  return {
    jobId: record.id,
    claim: record.claim,
    revision: record.revision,
    attempt: record.attempt,
    failures: record.failures,
    lost: record.lost,
    name: spec.name,
    handler: spec.handler,
    payload: spec.payload ?? "",
    scheduledAt: record.scheduledAt,
    timeoutMs: spec.timeoutMs ?? 0,
    slots: spec.requirements.slots,
    nextScheduledAt: next?.scheduledAt ?? null,
    nextDueAt: next?.at ?? 0,
    lastRetryAt: spec.deadlineMs === null ? null : dueAt(record) + spec.deadlineMs,
    retryDelayMs: canRetry ? retryDelayMs(retry, record.failures + 1, random) : null,
    placement,
    startAt: record.at > now ? record.at : 0,
  };
}

/** Parts that fit into a message. */
export function bySize(assignments: readonly Assignment[]): Assignment[][] {
  const messages: Assignment[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const assignment of assignments) {
    characters += assignment.payload.length;
    const message = messages.at(-1);
    if (message === undefined || characters > MAX_ASSIGN_CHARACTERS) {
      messages.push([assignment]);
      characters = assignment.payload.length;
    } else {
      message.push(assignment);
    }
  }
  return messages;
}
