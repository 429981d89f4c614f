/**
 * A report of each local day, made in the night after it: HANDLERS=examples/nightly-report/jobs.ts npm start
 *
 * A day in Berlin has 23 hours when summer time begins, and 25 when it ends. So the report takes its day from when it was due,
 * and the day's bounds from the calendar: whoever takes "the last 24 hours" loses an hour, or counts one twice.
 */
import { defineJobs } from "elastic-job";

const ZONE = "Europe/Berlin";

export default defineJobs(
  {
    report: (_job, ctx) => {
      // Not from now: a run that is late, or is tried again, is still about its own day.
      const due = Temporal.Instant.fromEpochMilliseconds(ctx.scheduledAt.getTime()).toZonedDateTimeISO(ZONE);
      const day = due.toPlainDate().subtract({ days: 1 });
      const [from, until] = [day, day.add({ days: 1 })].map((date) => date.toZonedDateTime(ZONE).toInstant());
      return {
        day: `${day}`,
        from: `${from}`,
        until: `${until}`,
        hours: from?.until(until ?? from).total("hours"),
      };
    },
  },
  {
    set: "reports",
    schedules: {
      // There is no 02:30 in the night to 29 March 2026: the run then comes at 03:00. On 25 October 02:30 comes twice: it
      // runs at the first.
      nightly: { handler: "report", daily: "02:30", timeZone: ZONE, gap: "run_after", fold: "first" },
    },
  },
);
