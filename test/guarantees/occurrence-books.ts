/**
 * The books of one recurring job: that each of its due times, as the wall clock of its zone says, is
 * accounted for exactly once, and for the right reason. Nothing of this asks src/core when a job is due.
 */
import { hasEnded, OUTCOME } from "../../src/core/job.ts";
import type { DueTime, WallCalendar } from "../fixtures/wall-clock-calendar.ts";
import { claimName, type JobFact, type RowFact, type Span } from "./facts.ts";

/** An occurrence is missed when it is unclaimed so long after its time. */
const MISSED_AFTER_MS = 60_000;
/** A node's estimate of cluster time may be off the master's by so much. */
const EARLY_MS = 350;

export interface Books {
  readonly job: JobFact;
  /** Its final rows, by claim. */
  readonly rows: readonly RowFact[];
  /** Jobs of their own for its occurrences. */
  readonly children: readonly JobFact[];
  readonly calendar: WallCalendar;
  /** What callers asked to be done to it. */
  readonly asked: ReadonlySet<string>;
  /** When jobs could not be given out; null: not known, so it excuses anything. */
  readonly outages: readonly Span[] | null;
}

export interface Entry {
  readonly due: DueTime;
  readonly how: "ran" | "beside" | "skipped" | "cancelled";
}

/** Yields what is wrong; `entries` collects what is accounted for. */
export function* unaccounted(books: Books, entries: Entry[] = []): Iterable<string> {
  const { job, calendar } = books;
  const ends = books.rows
    .filter(({ retryAt }) => retryAt === null)
    .toSorted((a, b) => a.scheduledAt - b.scheduledAt || a.claim - b.claim);
  const due = withinBounds(job, calendar.dueTimes(job.spec.schedule));
  const isOver = hasEnded(job);
  const childAt = Map.groupBy(
    books.children.filter(({ spec }) => spec.schedule.kind === "timed"),
    ({ spec }) => (spec.schedule.kind === "timed" ? spec.schedule.runAt : 0),
  );
  let index = 0;
  const counted = new Map<RowFact, DueTime[]>();
  let next: DueTime | undefined;
  for (const one of due) {
    if (!isOver && one.instant >= job.scheduledAt) {
      next = one;
      break;
    }
    while (index < ends.length && throughOf(ends[index]) < one.instant) index++;
    const covering: RowFact[] = [];
    for (let at = index; at < ends.length; at++) {
      const row = ends[at];
      if (row === undefined || row.scheduledAt > one.instant) break;
      if (throughOf(row) >= one.instant) covering.push(row);
    }
    const children = childAt.get(one.instant) ?? [];
    const [row] = covering;
    if (covering.length + children.length !== 1) {
      yield `G4: the occurrence ${iso(one.instant)} of job ${job.id} is accounted for ${covering.length + children.length} times`;
    }
    if (one.isDropped && (children.length > 0 || (row !== undefined && row.node !== 0))) {
      yield `G4: the occurrence ${iso(one.instant)} of job ${job.id} ran, and no wall clock showed its time`;
    }
    if (row !== undefined) {
      const of = counted.get(row);
      if (of) of.push(one);
      else counted.set(row, [one]);
    }
    entries.push({ due: one, how: row === undefined ? "beside" : howOf(row) });
  }
  if (!isOver && next?.instant !== job.scheduledAt) {
    yield `G4: job ${job.id} stands at ${iso(job.scheduledAt)}, which is no occurrence`;
  }
  const known = new Set(due.map(({ instant }) => instant));
  for (const [instant, children] of childAt) {
    if (!known.has(instant))
      yield `G4: job ${children[0]?.id} ran for ${iso(instant)}, which is no occurrence of job ${job.id}`;
  }
  for (const row of ends) {
    const of = counted.get(row) ?? [];
    if (of.length === 0 && !books.asked.has("retry")) {
      yield `G4: ${claimName(row)} ended ${iso(row.scheduledAt)}, which is no occurrence`;
    }
    if (row.outcome !== OUTCOME.SKIPPED) continue;
    if (
      of[0]?.instant !== row.scheduledAt ||
      of.at(-1)?.instant !== throughOf(row) ||
      of.length !== row.skippedCount
    ) {
      yield `G4: ${claimName(row)} says that it skipped ${row.skippedCount} from ${iso(row.scheduledAt)} through ${iso(throughOf(row))}, and there are ${of.length}`;
    }
    const wrong = whyWrong(books, row, of, due);
    if (wrong !== null) yield `G4: ${claimName(row)}: skipped as "${row.reason}", but ${wrong}`;
  }
}

/** Null: the row's reason is right. */
function whyWrong(
  books: Books,
  row: RowFact,
  of: readonly DueTime[],
  due: readonly DueTime[],
): string | null {
  const after = due.find(({ instant }) => instant > throughOf(row));
  const { spec } = books.job;
  const last = throughOf(row);
  switch (row.reason) {
    case "gap":
      return of.every(({ isDropped }) => isDropped) ? null : "its time was shown by the wall clock";
    case "paused":
      return books.asked.has("pause") ? null : "nobody paused the job";
    case "deadline":
      if (spec.deadlineMs === null) return "it has no deadline";
      return row.endTime > row.scheduledAt + spec.deadlineMs ? null : "its deadline had not passed";
    case "overlap": {
      if (spec.overlap === "allow") return "overlap is allowed";
      const ranUntil = Math.max(
        0,
        ...books.rows
          .filter(({ claim, node }) => claim < row.claim && node !== 0)
          .map(({ endTime }) => endTime),
      );
      if (ranUntil <= last) return `nothing ran then (until ${iso(ranUntil)})`;
      if (spec.overlap === "skip" && spec.misfire === "all") {
        const run = books.rows.find(({ claim, endTime }) => claim < row.claim && endTime === ranUntil);
        const dueBy = (of[0]?.instant ?? 0) + spec.jitterMs;
        return run !== undefined && run.startTime <= dueBy + EARLY_MS
          ? null
          : "it had been missed before that run began";
      }
      if (spec.overlap === "skip") return null;
      if (spec.misfire === "all") return "all were to run, one after another";
      return after !== undefined && after.instant < ranUntil ? null : "it was the last one to wait";
    }
    case "misfire": {
      if (spec.misfire === "all") return "all were to run";
      const isLate =
        row.endTime - last > MISSED_AFTER_MS || (after !== undefined && after.instant <= row.endTime);
      if (!isLate) return "it was in time";
      if (spec.misfire === "once" && (after === undefined || after.instant > row.endTime))
        return "the last one was to run";
      const unexcused = of.find(({ instant }) => !isExcused(books, instant));
      return unexcused === undefined ? null : `at ${iso(unexcused.instant)} it could have run`;
    }
    default:
      return "there is no such reason";
  }
}

function isExcused({ outages, job }: Books, instant: number): boolean {
  if (outages === null) return true;
  const { jitterMs } = job.spec;
  const latest = instant + jitterMs + MISSED_AFTER_MS;
  return outages.some(({ from, to }) => from <= latest && instant <= to);
}

function withinBounds({ createTime, spec }: JobFact, due: readonly DueTime[]): DueTime[] {
  const { startAt, endAt, maxOccurrences } = spec.bounds;
  return due
    .filter(
      ({ instant }) =>
        instant > createTime && instant >= (startAt ?? instant) && instant <= (endAt ?? instant),
    )
    .slice(0, maxOccurrences ?? due.length);
}

function throughOf(row: RowFact | undefined): number {
  return row?.skippedThrough ?? row?.scheduledAt ?? 0;
}

function howOf({ outcome, node }: RowFact): Entry["how"] {
  if (outcome === OUTCOME.SKIPPED) return "skipped";
  return outcome === OUTCOME.CANCELLED && node === 0 ? "cancelled" : "ran";
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
