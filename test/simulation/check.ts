/**
 * Judges a simulation that has come to rest, by what it left behind: by the rules of G1 to G4, and by what
 * only a simulation can see (G7, that it is at rest, that nothing starts early).
 */

import { STORED_STATUS } from "../../src/core/job.ts";
import { breaches } from "../guarantees/breaches.ts";
import type { Ledger } from "../guarantees/facts.ts";
import type { Evidence, Freeze } from "./evidence.ts";

/** How long a due job may wait in a cluster at rest. */
const OVERDUE_MS = 2000;
/** How long a process that was stopped may take to give up what it ran. */
const WAKING_MS = 2000;
/** A node's estimate of cluster time may be off the master's by a few of the longest delays (100 ms each). */
const EARLY_MS = 350;
/** Of a job with more executions than this, each is compared with the next few only. */
const MANY = 200;
const NEAR = 20;

/** What was violated, one line each; empty: nothing. */
export function violations(evidence: Evidence): string[] {
  return [
    ...evidence.alarms,
    ...breaches(ledgerOf(evidence)),
    ...restlessJobs(evidence),
    ...startedEarly(evidence),
    ...overlaps(evidence),
  ];
}

function* restlessJobs({ jobs, now }: Evidence): Iterable<string> {
  for (const { id, status, at, claim } of jobs) {
    if (status === STORED_STATUS.RUNNING) yield `at rest, yet job ${id} is RUNNING (claim ${claim})`;
    if (status === STORED_STATUS.WAITING && at < now - OVERDUE_MS)
      yield `job ${id} is overdue by ${now - at} ms`;
  }
}

/** Its evidence in the words of the rules that it shares with the checker of real clusters. */
function ledgerOf(evidence: Evidence): Ledger {
  const { jobs, results, seenRows, deleted, executions, asked, outages, start, now } = evidence;
  return {
    jobs,
    rows: results,
    seenRows,
    acknowledged: [...evidence.acknowledged].map(([jobId, add]) => ({ jobId, add })),
    // Not those that come of a trigger, or run an occurrence beside their job.
    stored: jobs
      .filter(({ parentId }) => parentId === 0)
      .map(({ id, spec }) => ({ jobId: id, add: spec.name })),
    deleted,
    starts: executions.map((execution) => ({
      ...execution,
      where: `${execution.nodeId} at ${execution.startedAt}`,
    })),
    ends: executions.filter(({ endedAt }) => endedAt !== null),
    abandoned: executions.filter(({ wasAbandoned }) => wasAbandoned),
    asked,
    outages,
    start,
    now,
  };
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
