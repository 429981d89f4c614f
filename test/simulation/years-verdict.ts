/** Closes the books of a run over years: all violations, and how the occurrences are accounted for. */
import { isRecurring, timeZoneOf } from "../../src/core/calendar/schedule.ts";
import { WallCalendar } from "../fixtures/wall-clock-calendar.ts";
import { type Entry, unaccounted } from "../guarantees/occurrence-books.ts";
import { violations } from "./check.ts";
import { runYears, type YearsOptions } from "./years.ts";

export interface YearsVerdict {
  readonly found: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

export async function simulateYears(options: YearsOptions): Promise<YearsVerdict> {
  const { cluster, counts } = await runYears(options);
  const evidence = await cluster.evidence();
  const found = violations(evidence);
  if (cluster.pendingCalls > 0) found.push(`${cluster.pendingCalls} calls are not answered`);
  const jobs = evidence.jobs.filter(({ spec }) => isRecurring(spec.schedule));
  const rows = Map.groupBy(
    evidence.results.filter(({ late }) => !late),
    ({ jobId }) => jobId,
  );
  const tally: Record<string, number> = { ran: 0, beside: 0, skipped: 0, cancelled: 0 };
  const reasons: Record<string, number> = {};
  const entries: Entry[] = [];
  const childrenOf = Map.groupBy(evidence.jobs, ({ parentId }) => parentId);
  const byZone = Map.groupBy(jobs, ({ spec: { schedule } }) =>
    isRecurring(schedule) ? timeZoneOf(schedule) : "",
  );
  for (const [timeZone, inZone] of byZone) {
    const calendar = new WallCalendar(timeZone, evidence.start, evidence.now);
    for (const job of inZone) {
      const children = childrenOf.get(job.id) ?? [];
      const books = {
        job,
        rows: rows.get(job.id) ?? [],
        children,
        calendar,
        asked: new Set<string>(),
        outages: null,
      };
      Array.from(unaccounted(books, entries));
    }
  }
  for (const { how } of entries) tally[how] = (tally[how] ?? 0) + 1;
  for (const { outcome, reason, skippedCount } of evidence.results) {
    if (outcome === 6) reasons[`skipped: ${reason}`] = (reasons[`skipped: ${reason}`] ?? 0) + skippedCount;
  }
  return {
    found,
    counts: {
      jobs: jobs.length,
      zones: byZone.size,
      occurrences: entries.length,
      ...tally,
      ...reasons,
      "result rows": evidence.results.length,
      executions: evidence.executions.length,
      deaths: counts.deaths,
      "of them masters": counts.deathsOfMasters,
      stops: counts.stops,
      outages: counts.outages,
      "calls of operators": counts.acts,
    },
  };
}
