/** G4: every occurrence ends, once, and as its job says. */
import { isRecurring, timeZoneOf } from "../../src/core/calendar/schedule.ts";
import { hasEnded, OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import { WallCalendar } from "../fixtures/wall-clock-calendar.ts";
import {
  askedOf,
  claimName,
  finalRows,
  type JobFact,
  type Ledger,
  type RowFact,
  type Span,
} from "./facts.ts";
import { unaccounted } from "./occurrence-books.ts";

/** How far past now a recurring job's next occurrence may lie: each cancel takes it one further. */
const MOST_AHEAD_MS = 10 * 86_400_000;
/** What a calendar has to know past its last due time: whether the clocks show it once more. */
const PAST_A_CHANGE_MS = 3 * 3_600_000;

export function oneEndOfAnOccurrence(ledger: Ledger): string[] {
  const problems: string[] = [];
  const occurrence = ({ jobId, scheduledAt }: RowFact) => `job ${jobId}, occurrence ${scheduledAt}`;
  for (const [name, rows] of Map.groupBy(finalRows(ledger), occurrence)) {
    const successes = rows.filter(({ outcome }) => outcome === OUTCOME.SUCCEEDED).length;
    const ends = rows.filter(({ retryAt }) => retryAt === null).length;
    if (successes > 1) problems.push(`G3: ${name} succeeded ${successes} times`);
    if (ends > 1) problems.push(`G4: ${name} ended ${ends} times`);
  }
  return problems;
}

export function everyOccurrenceIsAccountedFor(ledger: Ledger): string[] {
  const rowsOf = Map.groupBy(finalRows(ledger), ({ jobId }) => jobId);
  const childrenOf = Map.groupBy(ledger.jobs, ({ parentId }) => parentId);
  const calendars = new Map<string, WallCalendar>();
  const abandoned = new Set(ledger.abandoned.map(claimName));
  const through = farthestDue(ledger) + PAST_A_CHANGE_MS;
  const problems: string[] = [];
  for (const job of ledger.jobs) {
    const rows = rowsOf.get(job.id) ?? [];
    const asked = askedOf(ledger, job.id);
    const { schedule } = job.spec;
    if (!isRecurring(schedule)) {
      problems.push(...endOfOnce(job, rows, asked));
      continue;
    }
    // What an older schedule ended lies on no calendar.
    if (asked.has("reschedule")) continue;
    const timeZone = timeZoneOf(schedule);
    let calendar = calendars.get(timeZone);
    if (calendar === undefined) {
      calendar = new WallCalendar(timeZone, ledger.start, through);
      calendars.set(timeZone, calendar);
    }
    // The row of the occurrence that a job stands at may be there before the job says so.
    const projected = rows.filter(({ claim }) => job.status !== STORED_STATUS.RUNNING || claim !== job.claim);
    const children = childrenOf.get(job.id) ?? [];
    const outages = outagesOf(rows, ledger.outages, abandoned);
    problems.push(...unaccounted({ job, rows: projected, children, calendar, asked, outages }));
  }
  return problems;
}

/**
 * When one job could not be given out: also while it was cancelled and not free yet. A job whose run is cancelled has its
 * row at once, and stays RUNNING until its node says that the handler has ended, or is gone. If the node's process died
 * under it, that may take a lease and a lock's time, and no row tells when it was over but that of the next claim.
 */
function outagesOf(
  rows: readonly RowFact[],
  ofAll: readonly Span[] | null,
  abandoned: ReadonlySet<string>,
): readonly Span[] | null {
  if (ofAll === null) return null;
  const held = rows
    .filter((row) => row.outcome === OUTCOME.CANCELLED && abandoned.has(claimName(row)))
    .map(({ claim, endTime }) => ({
      from: endTime,
      to: rows.find((row) => row.claim === claim + 1)?.startTime ?? Number.POSITIVE_INFINITY,
    }));
  return [...ofAll, ...held];
}

/**
 * The farthest of the times at which recurring jobs stand, those that have ended too: the last occurrence may have been
 * cancelled before its time. A calendar of every second is not read further than that.
 */
function farthestDue({ jobs, now }: Ledger): number {
  const due = jobs.filter((job) => isRecurring(job.spec.schedule));
  const farthest = due.reduce((far, { scheduledAt }) => Math.max(far, scheduledAt), now);
  return Math.min(farthest, now + MOST_AHEAD_MS);
}

function* endOfOnce(job: JobFact, rows: readonly RowFact[], asked: ReadonlySet<string>): Iterable<string> {
  const ends = rows.filter(({ retryAt }) => retryAt === null).toSorted((a, b) => a.claim - b.claim);
  const last = ends.at(-1);
  if (!hasEnded(job)) {
    // Each time that a caller retries it, or gives it another time, is an occurrence of its own.
    const isRenewed = asked.has("retry") || asked.has("reschedule");
    if (last !== undefined && !isRenewed) yield `G4: job ${job.id} goes on although its occurrence has ended`;
    return;
  }
  if (last === undefined) {
    yield `G4: job ${job.id} is at its end, and no row says how its occurrence ended`;
    return;
  }
  if (ends.length > 1 && !asked.has("retry"))
    yield `G4: job ${job.id} has ended, with ${ends.length} rows that say so`;
  if ((job.status === STORED_STATUS.SUCCEEDED) !== (last.outcome === OUTCOME.SUCCEEDED))
    yield `G4: job ${job.id} has status ${job.status}, and its last row outcome ${last.outcome}`;
  const { schedule, deadlineMs } = job.spec;
  const [first] = ends;
  const isMoved = schedule.kind === "timed" && first?.scheduledAt !== schedule.runAt;
  if (job.parentId !== 0 && isMoved && !asked.has("retry"))
    yield `G4: job ${job.id} was told ${first?.scheduledAt}, and is for ${schedule.runAt}`;
  if (last.outcome === OUTCOME.CANCELLED && !asked.has("cancel"))
    yield `G4: job ${job.id} was cancelled, and nobody asked for it`;
  if (last.outcome === OUTCOME.SKIPPED) {
    const isTooLate = deadlineMs !== null && last.endTime > last.scheduledAt + deadlineMs;
    if (last.reason !== "deadline" || !isTooLate)
      yield `G4: job ${job.id} was skipped as "${last.reason}" at ${last.endTime}, its deadline is ${deadlineMs} ms after ${last.scheduledAt}`;
  }
}
