import { isRecurring, timeZoneOf } from "../calendar/schedule.ts";
import { isZoneKnown, unknownZone } from "../calendar/zone-segment.ts";
import type { JobSpec } from "../job.ts";

/** Why nothing can be said here of when a job is due next, in a sentence; null: it can. */
export function unknownZoneOf({ schedule }: Pick<JobSpec, "schedule">): string | null {
  if (!isRecurring(schedule)) return null;
  const timeZone = timeZoneOf(schedule);
  return isZoneKnown(timeZone) ? null : unknownZone(timeZone);
}
