/** The next occurrences of a schedule, for people: with a note where a change of the clocks interferes. */

import type { Schedule } from "../job.ts";
import { formatTimeOfDay } from "./daily.ts";
import type { Occurrence } from "./local-schedule.ts";
import { isRecurring, nextOccurrenceOrDropped, type RecurringSchedule, timeZoneOf } from "./schedule.ts";

export interface PreviewedOccurrence {
  readonly time: number;
  /** Empty where nothing is to be said. */
  readonly note: string;
}

/**
 * The first `count` occurrences strictly after an instant. A dropped one is listed, too, at the first
 * instant after its gap. A timed schedule has its one if it is still to come; an immediate one is
 * listed at `after` itself.
 */
export function previewOccurrences(schedule: Schedule, after: number, count: number): PreviewedOccurrence[] {
  if (schedule.kind === "immediate") return [{ time: after, note: "as soon as possible" }].slice(0, count);
  if (!isRecurring(schedule)) {
    return schedule.runAt > after ? [{ time: schedule.runAt, note: "" }].slice(0, count) : [];
  }
  const previewed: PreviewedOccurrence[] = [];
  let occurrence = nextOccurrenceOrDropped(schedule, after);
  while (occurrence && previewed.length < count) {
    previewed.push({ time: occurrence.time, note: noteOn(occurrence, schedule) });
    occurrence = nextOccurrenceOrDropped(schedule, occurrence.time);
  }
  return previewed;
}

function noteOn({ change, local }: Occurrence, schedule: RecurringSchedule): string {
  const [date = ""] = new Date(local).toISOString().split("T");
  const time = formatTimeOfDay(Math.floor(local / 1000) % 86_400);
  const where = `on ${date} in ${timeZoneOf(schedule)}`;
  switch (change) {
    case "none":
      return "";
    case "moved":
      return `${time} does not exist ${where}, the clocks jump over it: runs at the first instant after`;
    case "dropped":
      return `${time} does not exist ${where}, the clocks jump over it: skipped; the time shown is the first instant after`;
    case "first_of_two":
      return `${time} comes twice ${where}: this is the first`;
    case "second_of_two":
      return `${time} comes twice ${where}: this is the second`;
  }
}
