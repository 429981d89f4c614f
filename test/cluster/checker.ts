/**
 * Proves from what is left of a run that the guarantees held: G1 (no acknowledged job is missing), G2 (no
 * claim started twice, none started that was not claimed), G3 (one final row for a claim, never changed;
 * one success for an occurrence), G4 (every occurrence is accounted for), and that nothing is stuck.
 * Pure: `evidence.ts` gathers what it looks at. Each rule returns sentences; none means that it holds.
 */

import { isRecurring, type RecurringSchedule } from "../../src/core/calendar/schedule.ts";
import { NEVER, OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import { nextOccurrence } from "../fixtures/next-occurrence.ts";
import type { Effect } from "./effects-log.ts";
import type { Acknowledged, Evidence, JobLine, ResultLine } from "./evidence.ts";

/** A recurring job is never quite still: one that is due, or runs, this long is stuck. */
const STUCK_MS = 10_000;
/** Occurrences looked at for a job. */
const MAX_OCCURRENCES = 100_000;
const SHOWN = 20;

const RULES: readonly ((evidence: Evidence) => string[])[] = [
  acknowledgedAreThere,
  addedOnce,
  startedOnce,
  startedOnlyWhenClaimed,
  successesHaveRun,
  oneFinalRow,
  oneEndOfAnOccurrence,
  everyClaimHasItsRow,
  everyOccurrenceIsAccountedFor,
  nothingIsStuck,
  (evidence) => [...evidence.changedRows],
];

/** What is wrong, as sentences; empty: everything held. */
export function findViolations(evidence: Evidence): string[] {
  return RULES.flatMap((rule) => {
    const found = rule(evidence);
    if (found.length <= SHOWN) return found;
    return [...found.slice(0, SHOWN), `… and ${found.length - SHOWN} more of this kind (${rule.name})`];
  });
}

function acknowledgedAreThere({ jobs, acknowledged, deleted }: Evidence): string[] {
  const there = new Set(jobs.map(({ id }) => id));
  return acknowledged
    .filter(({ jobId }) => !there.has(jobId) && !deleted.has(jobId))
    .map(({ jobId, name }) => `job ${jobId} (${name}) was acknowledged, and is missing`);
}

/** The workload gives each add a name of its own: two rows with one name are one add that was stored twice. */
function addedOnce({ jobs, acknowledged }: Evidence): string[] {
  const idOf = new Map<string, number>();
  const problems: string[] = [];
  for (const { id, name } of jobs) {
    const other = idOf.get(name);
    if (other !== undefined)
      problems.push(`${name} was added once, and is stored as jobs ${other} and ${id}`);
    idOf.set(name, id);
  }
  for (const [name, acks] of group(acknowledged, (one: Acknowledged) => one.name)) {
    const ids = new Set(acks.map(({ jobId }) => jobId));
    if (ids.size > 1) problems.push(`${name} was acknowledged as jobs ${[...ids].join(" and ")}`);
  }
  return problems;
}

function claimName(one: { readonly jobId: number; readonly claim: number }): string {
  return `job ${one.jobId}, claim ${one.claim}`;
}

function starts({ effects }: Evidence): Effect[] {
  return effects.filter(({ event }) => event === "start");
}

function startedOnce(evidence: Evidence): string[] {
  return [...group(starts(evidence), claimName)]
    .filter(([, effects]) => effects.length > 1)
    .map(
      ([name, effects]) =>
        `${name} was started ${effects.length} times (${effects.map(whereAndWhen).join("; ")})`,
    );
}

function whereAndWhen({ node, pid, at }: Effect): string {
  return `${node} pid ${pid} at ${Math.round(at)}`;
}

function startedOnlyWhenClaimed(evidence: Evidence): string[] {
  const claimOf = new Map(evidence.jobs.map(({ id, claim }) => [id, claim]));
  const ended = new Map(finalRows(evidence).map((row) => [claimName(row), row]));
  return starts(evidence).flatMap((start) => {
    const newest = claimOf.get(start.jobId);
    if (newest === undefined && !evidence.deleted.has(start.jobId))
      return [`${claimName(start)} was started, and there is no such job`];
    if (newest !== undefined && start.claim > newest)
      return [`${claimName(start)} was started without a claim`];
    const row = ended.get(claimName(start));
    if (row !== undefined && row.node === 0) return [`${claimName(start)} was started, and given to nobody`];
    if (row !== undefined && row.scheduledAt !== start.scheduledAt)
      return [
        `${claimName(start)} was started for ${start.scheduledAt}, and recorded for ${row.scheduledAt}`,
      ];
    return [];
  });
}

function successesHaveRun(evidence: Evidence): string[] {
  const ends = new Set(evidence.effects.filter(({ event }) => event === "end").map(claimName));
  return finalRows(evidence)
    .filter((row) => row.outcome === OUTCOME.SUCCEEDED && !ends.has(claimName(row)))
    .map((row) => `${claimName(row)} is recorded as SUCCEEDED, and its handler did not end`);
}

function finalRows({ results }: Evidence): ResultLine[] {
  return results.filter(({ late }) => !late);
}

function oneFinalRow(evidence: Evidence): string[] {
  const claimOf = new Map(evidence.jobs.map(({ id, claim }) => [id, claim]));
  const twice = [...group(finalRows(evidence), claimName)]
    .filter(([, rows]) => rows.length > 1)
    .map(([name, rows]) => `${name} has ${rows.length} final rows`);
  const early = finalRows(evidence)
    .filter((row) => row.claim > (claimOf.get(row.jobId) ?? Number.POSITIVE_INFINITY))
    .map((row) => `${claimName(row)} has a row, and was never claimed`);
  return [...twice, ...early];
}

function oneEndOfAnOccurrence(evidence: Evidence): string[] {
  const occurrence = (row: ResultLine) => `job ${row.jobId}, occurrence ${row.scheduledAt}`;
  const problems: string[] = [];
  for (const [name, rows] of group(finalRows(evidence), occurrence)) {
    const successes = rows.filter(({ outcome }) => outcome === OUTCOME.SUCCEEDED).length;
    const ends = rows.filter(({ retryAt }) => retryAt === null).length;
    if (successes > 1) problems.push(`${name} succeeded ${successes} times`);
    else if (ends > 1) problems.push(`${name} ended ${ends} times`);
  }
  return problems;
}

function everyClaimHasItsRow(evidence: Evidence): string[] {
  const claims = new Map(
    [...group(finalRows(evidence), ({ jobId }) => jobId)].map(([id, rows]) => [
      id,
      new Set(rows.map(({ claim }) => claim)),
    ]),
  );
  return evidence.jobs.flatMap((job) => {
    const open = job.status === STORED_STATUS.RUNNING ? job.claim : 0;
    const missing: string[] = [];
    for (let claim = 1; claim <= job.claim; claim++) {
      if (claim !== open && !claims.get(job.id)?.has(claim))
        missing.push(`job ${job.id}, claim ${claim} has no final row`);
    }
    return missing;
  });
}

function everyOccurrenceIsAccountedFor(evidence: Evidence): string[] {
  const rowsOf = group(finalRows(evidence), ({ jobId }) => jobId);
  return evidence.jobs.flatMap((job) => {
    const ended = (rowsOf.get(job.id) ?? []).filter(({ retryAt }) => retryAt === null);
    const { schedule } = job;
    if (isRecurring(schedule)) return recurringProblems({ ...job, schedule }, ended, evidence.now);
    const hasEnded =
      job.status === STORED_STATUS.SUCCEEDED ||
      job.status === STORED_STATUS.FAILED ||
      job.status === STORED_STATUS.CANCELLED;
    if (hasEnded && ended.length === 0)
      return [`job ${job.id} is at its end, and no row says how its occurrence ended`];
    if (!hasEnded && ended.length > 0) return [`job ${job.id} goes on although its occurrence has ended`];
    return [];
  });
}

/** Each due time from the first up to the one it now waits for ran, or lies in a run of skips; and no other did. */
function recurringProblems(
  job: JobLine & { readonly schedule: RecurringSchedule },
  ended: readonly ResultLine[],
  now: number,
): string[] {
  const problems: string[] = [];
  // The row of the occurrence that it now stands at may be there before its job says so.
  const isProjected = (row: ResultLine) => job.status !== STORED_STATUS.RUNNING || row.claim !== job.claim;
  const byTime = new Map(ended.filter(isProjected).map((row) => [row.scheduledAt, row]));
  let due = nextOccurrence(job.schedule, job.createTime) ?? NEVER;
  let seen = 0;
  for (; due < job.scheduledAt && seen < MAX_OCCURRENCES; seen++) {
    const row = byTime.get(due);
    if (row === undefined) {
      problems.push(`job ${job.id}: occurrence ${due} is not accounted for`);
    } else {
      byTime.delete(due);
      if (row.skippedThrough !== null) due = row.skippedThrough;
    }
    const next = nextOccurrence(job.schedule, due);
    if (next === null) break;
    due = next;
  }
  if (due !== job.scheduledAt)
    problems.push(`job ${job.id} waits for ${job.scheduledAt}; its schedule says ${due}`);
  for (const time of byTime.keys()) problems.push(`job ${job.id}: ${time} ran, and is none of its due times`);
  if (now - job.scheduledAt > STUCK_MS)
    problems.push(`job ${job.id}: nothing is recorded since ${job.scheduledAt} (now ${now})`);
  return problems;
}

function nothingIsStuck({ jobs, now }: Evidence): string[] {
  return jobs.flatMap((job) => {
    const recurs = isRecurring(job.schedule);
    const allowedMs = recurs ? STUCK_MS : 0;
    if (job.status === STORED_STATUS.RUNNING && now - job.updateTime > allowedMs)
      return [
        `job ${job.id} (${job.name}) is still RUNNING, claim ${job.claim} since ${job.updateTime} (now ${now})`,
      ];
    if (job.status === STORED_STATUS.WAITING && now - job.at > allowedMs)
      return [`job ${job.id} (${job.name}) is overdue since ${job.at} (now ${now})`];
    return [];
  });
}

function group<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  return Map.groupBy(items, keyOf);
}
