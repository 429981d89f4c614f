/**
 * Judges a simulation that has come to rest, by what it left behind. It knows the guarantees of the
 * design (G1 to G5, G7), and nothing of how they are kept.
 */
import { hasEnded, type JobRecord, OUTCOME, type ResultRecord, STORED_STATUS } from "../../src/core/job.ts";
import { isRecurring, nextOccurrence } from "../../src/core/schedule.ts";
import type { Evidence, Execution, Freeze } from "./evidence.ts";

/** How long a due job may wait in a cluster at rest. */
const OVERDUE_MS = 2000;
/** How long a process that was stopped may take to give up what it ran. */
const WAKING_MS = 2000;

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

function* badOccurrences({ jobs, results, now }: Evidence): Iterable<string> {
  const rowsOf = Map.groupBy(
    results.filter(({ late }) => !late),
    ({ jobId }) => jobId,
  );
  for (const job of jobs) {
    const rows = rowsOf.get(job.id) ?? [];
    const ends = rows.filter(({ retryAt }) => retryAt === null);
    yield* endedTwice(job, ends);
    if (isRecurring(job.spec.schedule)) yield* unaccounted(job, ends, now);
    else if (!hasEnded(job)) {
      if (job.at < now - OVERDUE_MS) yield `G4: job ${job.id} has not ended`;
    } else if (ends.length !== 1) {
      yield `G4: job ${job.id} has ended, with ${ends.length} rows that say so`;
    } else if ((job.status === STORED_STATUS.SUCCEEDED) !== (ends[0]?.outcome === OUTCOME.SUCCEEDED)) {
      yield `G4: job ${job.id} has status ${job.status}, and its last row outcome ${ends[0]?.outcome}`;
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

/** Every occurrence from the first one to the one that is next ended in one row, or lies in a range of skipped ones. */
function* unaccounted(job: JobRecord, ends: readonly ResultRecord[], now: number): Iterable<string> {
  const { schedule } = job.spec;
  const ranges = ends.map((row) => ({ from: row.scheduledAt, to: row.skippedThrough ?? row.scheduledAt }));
  let occurrence = nextOccurrence(schedule, job.createTime);
  while (occurrence !== null && occurrence < job.scheduledAt) {
    const at = occurrence;
    const covered = ranges.filter(({ from, to }) => from <= at && at <= to).length;
    if (covered !== 1) yield `G4: the occurrence ${at} of job ${job.id} is accounted for ${covered} times`;
    occurrence = nextOccurrence(schedule, at);
  }
  if (occurrence !== job.scheduledAt)
    yield `G4: job ${job.id} stands at ${job.scheduledAt}, which is no occurrence`;
  const next = nextOccurrence(schedule, now);
  if (next !== null && job.scheduledAt > next)
    yield `G4: job ${job.id} stands at ${job.scheduledAt}, past the next one`;
}

function* overlaps({ executions, freezes }: Evidence): Iterable<string> {
  for (const [jobId, ofJob] of Map.groupBy(executions, (execution) => execution.jobId)) {
    for (const first of ofJob) {
      for (const second of ofJob) {
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
