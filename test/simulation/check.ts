/**
 * Judges a simulation that has come to rest, by what it left behind. It knows the guarantees of the
 * design (G1 to G5, G7), and nothing of how they are kept.
 */

import { isRecurring } from "../../src/core/calendar/schedule.ts";
import { hasEnded, type JobRecord, OUTCOME, type ResultRecord, STORED_STATUS } from "../../src/core/job.ts";
import { WallCalendar } from "../fixtures/wall-clock-calendar.ts";
import type { Evidence, Execution, Freeze } from "./evidence.ts";
import { unaccounted } from "./ledger.ts";

/** How long a due job may wait in a cluster at rest. */
const OVERDUE_MS = 2000;
/** How long a process that was stopped may take to give up what it ran. */
const WAKING_MS = 2000;
/** A node's estimate of cluster time may be off the master's by a few of the longest delays (100 ms each). */
const EARLY_MS = 350;
/** How far past now a recurring job's next occurrence may lie: each cancel takes it one further. */
const AHEAD_MS = 10 * 86_400_000;
/** Of a job with more executions than this, each is compared with the next few only. */
const MANY = 200;
const NEAR = 20;
const NOTHING: ReadonlySet<string> = new Set();

/** What was violated, one line each; empty: nothing. */
export function violations(evidence: Evidence): string[] {
  return [
    ...evidence.alarms,
    ...missingJobs(evidence),
    ...restlessJobs(evidence),
    ...claimsStartedTwice(evidence),
    ...badRows(evidence),
    ...changedRows(evidence),
    ...badOccurrences(evidence),
    ...startedEarly(evidence),
    ...overlaps(evidence),
  ];
}

function* missingJobs({ acknowledged, deleted, jobs }: Evidence): Iterable<string> {
  const present = new Set(jobs.map(({ id }) => id));
  for (const id of acknowledged.keys()) {
    if (!present.has(id) && !deleted.has(id)) yield `G1: job ${id} was acknowledged, and is gone`;
  }
}

function* restlessJobs({ jobs, now }: Evidence): Iterable<string> {
  for (const { id, status, at, claim } of jobs) {
    if (status === STORED_STATUS.RUNNING) yield `at rest, yet job ${id} is RUNNING (claim ${claim})`;
    if (status === STORED_STATUS.WAITING && at < now - OVERDUE_MS)
      yield `job ${id} is overdue by ${now - at} ms`;
  }
}

function* claimsStartedTwice({ executions }: Evidence): Iterable<string> {
  const seen = new Map<string, Execution>();
  for (const execution of executions) {
    const key = `${execution.jobId}/${execution.claim}`;
    const first = seen.get(key);
    if (first !== undefined) {
      yield `G2: claim ${key} was started twice: on ${first.nodeId} at ${first.startedAt}, on ${execution.nodeId} at ${execution.startedAt}`;
    }
    seen.set(key, execution);
  }
}

function* badRows({ jobs, results, executions }: Evidence): Iterable<string> {
  const final = new Map<string, ResultRecord>();
  for (const row of results) {
    const key = `${row.jobId}/${row.claim}`;
    if (row.late) continue;
    if (final.has(key)) yield `G3: claim ${key} has two final rows`;
    final.set(key, row);
  }
  for (const row of results) {
    if (row.late && !final.has(`${row.jobId}/${row.claim}`)) {
      yield `G3: claim ${row.jobId}/${row.claim} has a late row only`;
    }
  }
  const byId = new Map(jobs.map((job) => [job.id, job]));
  for (const job of jobs) {
    for (let claim = 1; claim <= job.claim; claim++) {
      if (!final.has(`${job.id}/${claim}`)) yield `G3: claim ${job.id}/${claim} has no final row`;
    }
  }
  for (const { jobId, claim } of [...results, ...executions]) {
    const job = byId.get(jobId);
    if (job !== undefined && claim > job.claim)
      yield `G2: claim ${jobId}/${claim} was never made (newest: ${job.claim})`;
  }
}

function* changedRows({ results, seenRows }: Evidence): Iterable<string> {
  const now = new Map(
    results.filter(({ late }) => !late).map((row) => [`${row.jobId}/${row.claim}`, JSON.stringify(row)]),
  );
  for (const row of seenRows) {
    const key = `${row.jobId}/${row.claim}`;
    if (now.get(key) !== JSON.stringify(row))
      yield `G3: the final row of claim ${key} has changed, or is gone`;
  }
}

function* badOccurrences(evidence: Evidence): Iterable<string> {
  const { jobs, results, now, asked, outages } = evidence;
  const rowsOf = Map.groupBy(
    results.filter(({ late }) => !late),
    ({ jobId }) => jobId,
  );
  const childrenOf = Map.groupBy(jobs, ({ parentId }) => parentId);
  const calendars = new Map<string, WallCalendar>();
  for (const job of jobs) {
    const rows = rowsOf.get(job.id) ?? [];
    const ends = rows.filter(({ retryAt }) => retryAt === null);
    const actions = asked.get(job.id) ?? NOTHING;
    yield* endedTwice(job, ends);
    const { schedule } = job.spec;
    if (isRecurring(schedule)) {
      // What an older schedule ended lies on no calendar.
      if (actions.has("reschedule")) continue;
      let calendar = calendars.get(schedule.timeZone);
      if (calendar === undefined) {
        calendar = new WallCalendar(schedule.timeZone, evidence.start, now + AHEAD_MS);
        calendars.set(schedule.timeZone, calendar);
      }
      const children = childrenOf.get(job.id) ?? [];
      yield* unaccounted({ job, rows, children, calendar, asked: actions, outages });
    } else if (!hasEnded(job)) {
      if (job.at < now - OVERDUE_MS) yield `G4: job ${job.id} has not ended`;
    } else {
      yield* badEnd(job, ends, actions);
    }
  }
}

function* badEnd(
  job: JobRecord,
  ends: readonly ResultRecord[],
  asked: ReadonlySet<string>,
): Iterable<string> {
  const last = ends.reduce<ResultRecord | null>((a, b) => (a !== null && a.claim > b.claim ? a : b), null);
  // Each time it is retried by a caller is an occurrence of its own.
  if (ends.length !== 1 && !(asked.has("retry") && ends.length > 1)) {
    yield `G4: job ${job.id} has ended, with ${ends.length} rows that say so`;
  } else if ((job.status === STORED_STATUS.SUCCEEDED) !== (last?.outcome === OUTCOME.SUCCEEDED)) {
    yield `G4: job ${job.id} has status ${job.status}, and its last row outcome ${last?.outcome}`;
  }
  const { schedule } = job.spec;
  const isMoved = schedule.kind === "timed" && ends[0]?.scheduledAt !== schedule.runAt;
  if (job.parentId !== 0 && isMoved && !asked.has("retry")) {
    yield `job ${job.id} was told ${ends[0]?.scheduledAt}, and is for ${schedule.runAt}`;
  }
  if (last?.outcome === OUTCOME.CANCELLED && !asked.has("cancel")) {
    yield `G4: job ${job.id} was cancelled, and nobody asked for it`;
  }
  if (last?.outcome === OUTCOME.SKIPPED) {
    const { deadlineMs } = job.spec;
    const isTooLate = deadlineMs !== null && last.endTime > last.scheduledAt + deadlineMs;
    if (last.reason !== "deadline" || !isTooLate) {
      yield `G4: job ${job.id} was skipped as "${last.reason}" at ${last.endTime}, its deadline is ${deadlineMs} ms after ${last.scheduledAt}`;
    }
  }
}

function* endedTwice({ id }: JobRecord, ends: readonly ResultRecord[]): Iterable<string> {
  const seen = new Set<number>();
  for (const { scheduledAt } of ends) {
    if (seen.has(scheduledAt)) yield `G4: the occurrence ${scheduledAt} of job ${id} ended twice`;
    seen.add(scheduledAt);
  }
}

/** Nothing starts before the time that its schedule names. */
function* startedEarly({ results }: Evidence): Iterable<string> {
  for (const { jobId, claim, node, scheduledAt, startTime } of results) {
    if (node !== 0 && startTime < scheduledAt - EARLY_MS)
      yield `claim ${jobId}/${claim} started ${scheduledAt - startTime} ms before its time`;
  }
}

function* overlaps({ executions, freezes }: Evidence): Iterable<string> {
  for (const [jobId, ofJob] of Map.groupBy(executions, (execution) => execution.jobId)) {
    for (const [index, first] of ofJob.entries()) {
      // In the order in which they started: a few later ones, or all, of a job that ran a thousand times.
      for (const second of ofJob.length > MANY ? ofJob.slice(index + 1, index + NEAR) : ofJob) {
        if (second.claim <= first.claim) continue;
        if (first.startedAt > second.startedAt) {
          yield `G7: job ${jobId}: claim ${first.claim} started at ${first.startedAt}, although claim ${second.claim} had at ${second.startedAt}`;
          continue;
        }
        const started = Math.max(first.startedAt, second.startedAt);
        const firstEnd = first.endedAt ?? Number.POSITIVE_INFINITY;
        const secondEnd = second.endedAt ?? Number.POSITIVE_INFINITY;
        if (started >= firstEnd || started >= secondEnd) continue;
        if (wasStopped(freezes, first.nodeId, started)) continue;
        yield `G7: job ${jobId}: claim ${first.claim} on ${first.nodeId} (${first.startedAt} to ${first.endedAt}) and claim ${second.claim} on ${second.nodeId} (from ${second.startedAt}) ran at once`;
      }
    }
  }
}

function wasStopped(freezes: readonly Freeze[], nodeId: string, at: number): boolean {
  return freezes.some(
    (freeze) =>
      freeze.nodeId === nodeId &&
      freeze.from <= at &&
      at <= (freeze.to ?? Number.POSITIVE_INFINITY) + WAKING_MS,
  );
}
