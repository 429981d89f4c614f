/**
 * Judges a run of real processes by what it left behind: by the rules of G1 to G4, and that nothing is stuck.
 * Pure: `evidence.ts` gathers what it looks at.
 */
import { isRecurring } from "../../src/core/calendar/schedule.ts";
import { STORED_STATUS } from "../../src/core/job.ts";
import { breaches } from "../guarantees/breaches.ts";
import type { Ledger } from "../guarantees/facts.ts";
import type { Effect } from "./effects-log.ts";
import type { Evidence } from "./evidence.ts";

/** A recurring job is never quite still: one that is due, or runs, this long is stuck. */
const STUCK_MS = 10_000;

/** What is wrong, as sentences; empty: everything held. */
export function findViolations(evidence: Evidence): string[] {
  return [...breaches(ledgerOf(evidence)), ...stuckJobs(evidence)];
}

/** Its evidence in the words of the rules that it shares with the checker of simulations. */
function ledgerOf(evidence: Evidence): Ledger {
  const { jobs, results, seenRows, effects, acknowledged, deleted, now } = evidence;
  const of = (event: Effect["event"]) => effects.filter((effect) => effect.event === event);
  return {
    jobs,
    rows: results,
    seenRows,
    acknowledged: acknowledged.map(({ jobId, name }) => ({ jobId, add: name })),
    // The workload gives each add a name of its own.
    stored: jobs.map(({ id, spec }) => ({ jobId: id, add: spec.name })),
    deleted,
    starts: of("start").map((start) => ({ ...start, where: whereAndWhen(start) })),
    ends: of("end"),
    // Its callers add, and nothing else; nobody has kept an eye on when jobs could not be given out.
    asked: new Map(),
    // What they would excuse is excused already.
    abandoned: [],
    outages: null,
    start: jobs.reduce((earliest, { createTime }) => Math.min(earliest, createTime), now),
    now,
  };
}

function whereAndWhen({ node, pid, at }: Effect): string {
  return `${node} pid ${pid} at ${Math.round(at)}`;
}

/** Jobs that have not gone on for so long that nothing will any more. */
export function* stuckJobs({ jobs, now }: Pick<Evidence, "jobs" | "now">): Iterable<string> {
  for (const job of jobs) {
    const { id, status, claim, updateTime, at, scheduledAt, spec } = job;
    const recurs = isRecurring(spec.schedule);
    const allowedMs = recurs ? STUCK_MS : 0;
    if (status === STORED_STATUS.RUNNING && now - updateTime > allowedMs)
      yield `job ${id} (${spec.name}) is still RUNNING, claim ${claim} since ${updateTime} (now ${now})`;
    if (status === STORED_STATUS.WAITING && now - at > allowedMs)
      yield `job ${id} (${spec.name}) is overdue since ${at} (now ${now})`;
    if (recurs && now - scheduledAt > STUCK_MS)
      yield `job ${id}: nothing is recorded since ${scheduledAt} (now ${now})`;
  }
}
