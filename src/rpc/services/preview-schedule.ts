import { previewOccurrences } from "../../core/calendar/schedule-preview.ts";
import { zoneDataVersion } from "../../core/calendar/zone-segment.ts";
import { invalidArgument, type Problem } from "../../core/errors.ts";
import { FIELD_RANGES } from "../../core/spec/field-ranges.ts";
import type { PreviewScheduleRequest } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { msFromTimestamp, timestampOf } from "../conversion/proto-time.ts";
import { scheduleFromMessage } from "../conversion/schedule-message.ts";

const { most: MAX_OCCURRENCES } = FIELD_RANGES.count;
const DEFAULT_OCCURRENCES = 10;

/** Needs neither master nor database: any node computes the same. */
export function previewSchedule(request: PreviewScheduleRequest, now: number) {
  const problems: Problem[] = [];
  const count = request.count || DEFAULT_OCCURRENCES;
  if (count < 1 || count > MAX_OCCURRENCES) {
    const message = `is ${count}; 1 to ${MAX_OCCURRENCES} is accepted, and 0 means ${DEFAULT_OCCURRENCES}`;
    problems.push({ field: "count", message });
  }
  const after = msFromTimestamp("after", request.after, problems) ?? now;
  const schedule = scheduleFromMessage(request.schedule, now, problems);
  if (problems.length > 0) throw invalidArgument(problems);
  return {
    occurrences: previewOccurrences(schedule, after, count).map(({ time, note }) => ({
      time: timestampOf(time),
      note,
    })),
    timeZoneData: zoneDataVersion() ?? process.versions.tz ?? "",
  };
}
