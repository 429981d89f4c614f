/** The `schedule` oneof, which is the same in AddJobRequest, Job and PreviewScheduleRequest. */
import { create } from "@bufbuild/protobuf";
import { formatTimeOfDay } from "../../core/calendar/daily.ts";
import type { Problem } from "../../core/errors.ts";
import type { Schedule } from "../../core/job.ts";
import { checkSchedule, type RawSchedule } from "../../core/spec/check-schedule.ts";
import {
  CronSchema,
  DailySchema,
  ImmediateSchema,
  IntervalSchema,
  type Job,
  TimedSchema,
} from "../../gen/elasticjob/v1/job_pb.ts";
import { foldFromEnum, foldToEnum, gapFromEnum, gapToEnum } from "./enum-names.ts";
import { durationOf, msFromDuration, msFromTimestamp, timestampOf } from "./proto-time.ts";

export type ScheduleMessage = Job["schedule"];

/** Checked; none set means immediate. What it returns is only good if it added no problems. */
export function scheduleFromMessage(message: ScheduleMessage, now: number, problems: Problem[]): Schedule {
  return checkSchedule(rawScheduleFromMessage(message, problems) ?? { kind: "immediate" }, now, problems);
}

/** Undefined: none is set. */
export function rawScheduleFromMessage(
  message: ScheduleMessage,
  problems: Problem[],
): RawSchedule | undefined {
  switch (message.case) {
    case undefined:
      return undefined;
    case "immediate":
      return { kind: "immediate" };
    case "timed": {
      const { when } = message.value;
      // After a problem with the value itself, any value spares the caller a second one.
      if (when.case === "runAt") {
        return { kind: "timed", runAt: msFromTimestamp("timed.runAt", when.value, problems) ?? 0 };
      }
      if (when.case === "delay") {
        return { kind: "timed", delayMs: msFromDuration("timed.delay", when.value, problems) ?? 0 };
      }
      return { kind: "timed" };
    }
    case "daily": {
      const { at, timeZone, gap, fold } = message.value;
      return {
        kind: "daily",
        at,
        timeZone,
        gap: gapFromEnum(gap, problems),
        fold: foldFromEnum(fold, problems),
      };
    }
    case "cron":
      return { kind: "cron", expression: message.value.expression, timeZone: message.value.timeZone };
    case "interval": {
      const { every, anchor } = message.value;
      return {
        kind: "interval",
        // As above: what could not be read is not missing, too.
        everyMs: every && (msFromDuration("interval.every", every, problems) ?? 1000),
        anchor: msFromTimestamp("interval.anchor", anchor, problems),
      };
    }
  }
}

export function scheduleToMessage(schedule: Schedule): ScheduleMessage {
  switch (schedule.kind) {
    case "immediate":
      return { case: "immediate", value: create(ImmediateSchema) };
    case "timed": {
      const when = { case: "runAt", value: timestampOf(schedule.runAt) } as const;
      return { case: "timed", value: create(TimedSchema, { when }) };
    }
    case "daily": {
      const { secondOfDay, timeZone, gap, fold } = schedule;
      const at = formatTimeOfDay(secondOfDay);
      return {
        case: "daily",
        value: create(DailySchema, { at, timeZone, gap: gapToEnum(gap), fold: foldToEnum(fold) }),
      };
    }
    case "cron": {
      const { expression, timeZone } = schedule;
      return { case: "cron", value: create(CronSchema, { expression, timeZone }) };
    }
    case "interval": {
      const { everyMs, anchor } = schedule;
      const value = create(IntervalSchema, { every: durationOf(everyMs), anchor: timestampOf(anchor) });
      return { case: "interval", value };
    }
  }
}
