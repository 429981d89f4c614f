import { nextOccurrenceOrDropped, type RecurringSchedule } from "../../../../src/core/calendar/schedule.ts";

/** The first occurrence that is to run strictly after an instant; null: the schedule is over. */
export function nextOccurrence(schedule: RecurringSchedule, after: number): number | null {
  let occurrence = nextOccurrenceOrDropped(schedule, after);
  while (occurrence?.change === "dropped") occurrence = nextOccurrenceOrDropped(schedule, occurrence.time);
  return occurrence && occurrence.time;
}
