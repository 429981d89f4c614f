/** What a caller gives as a schedule, checked. */
import { parseCron } from "../calendar/cron.ts";
import { parseTimeOfDay } from "../calendar/daily.ts";
import { LAST_INSTANT } from "../calendar/local-schedule.ts";
import { describeUnknownTimeZone, findTimeZone } from "../calendar/time-zone.ts";
import { type Problem, quote } from "../errors.ts";
import type { Schedule } from "../job.ts";
import { durationProblem, integerProblem } from "./field-checks.ts";

/** A job costs a claim and a row for each occurrence. */
const LEAST_INTERVAL_MS = 1000;

type Daily = Extract<Schedule, { kind: "daily" }>;

export type RawSchedule =
  | { readonly kind: "immediate" }
  /** One of the two. */
  | { readonly kind: "timed"; readonly runAt?: number | undefined; readonly delayMs?: number | undefined }
  | {
      readonly kind: "daily";
      readonly at: string;
      /** Absent or empty: UTC. */
      readonly timeZone?: string | undefined;
      readonly gap?: Daily["gap"] | undefined;
      readonly fold?: Daily["fold"] | undefined;
    }
  | { readonly kind: "cron"; readonly expression: string; readonly timeZone?: string | undefined }
  /** Without an anchor it counts from when the job was given this interval. */
  | { readonly kind: "interval"; readonly everyMs?: number | undefined; readonly anchor?: number | undefined }
  /** One that was accepted before. Not checked again: rules may have become stricter since. */
  | { readonly kind: "unchanged"; readonly schedule: Schedule };

/** `before`: the schedule that this one replaces. What it returns is only good if it added no problems. */
export function checkSchedule(
  raw: RawSchedule,
  now: number,
  problems: Problem[],
  before?: Schedule,
): Schedule {
  switch (raw.kind) {
    case "immediate":
      return { kind: "immediate" };
    case "unchanged":
      return raw.schedule;
    case "timed":
      return { kind: "timed", runAt: checkTimed(raw, now, problems) };
    case "daily": {
      const secondOfDay = parseTimeOfDay(raw.at);
      if (secondOfDay === null) problems.push({ field: "daily.at", message: describeBadTime(raw.at) });
      return {
        kind: "daily",
        secondOfDay: secondOfDay ?? 0,
        timeZone: checkTimeZone("daily.timeZone", raw.timeZone, problems),
        gap: raw.gap ?? "run_after",
        fold: raw.fold ?? "first",
      };
    }
    case "cron": {
      const parsed = parseCron(raw.expression);
      if ("error" in parsed) problems.push({ field: "cron.expression", message: parsed.error });
      return {
        kind: "cron",
        expression: raw.expression.trim(),
        timeZone: checkTimeZone("cron.timeZone", raw.timeZone, problems),
      };
    }
    case "interval":
      return checkInterval(raw, now, problems, before);
  }
}

function checkTimed(
  { runAt, delayMs }: Extract<RawSchedule, { kind: "timed" }>,
  now: number,
  problems: Problem[],
): number {
  if (runAt === undefined && delayMs === undefined) {
    problems.push({ field: "timed", message: "needs runAt (an instant) or delay (a time from now)" });
    return now;
  }
  if (runAt !== undefined && delayMs !== undefined) {
    problems.push({ field: "timed", message: "takes runAt or delay, not both" });
    return now;
  }
  if (delayMs !== undefined)
    return durationProblem("timed.delay", delayMs, 0, problems) ? now + delayMs : now;
  if (runAt !== undefined && runAt > now) {
    integerProblem("timed.runAt", runAt, { least: now, most: LAST_INSTANT }, problems);
  }
  return Math.max(runAt ?? now, now);
}

function checkInterval(
  { everyMs, anchor }: Extract<RawSchedule, { kind: "interval" }>,
  now: number,
  problems: Problem[],
  before: Schedule | undefined,
): Schedule {
  if (everyMs === undefined) {
    problems.push({ field: "interval.every", message: 'is required, for example "90s"' });
    return { kind: "interval", everyMs: LEAST_INTERVAL_MS, anchor: now };
  }
  durationProblem("interval.every", everyMs, LEAST_INTERVAL_MS, problems);
  // What is described the same again must not begin anew.
  const isSame = before?.kind === "interval" && before.everyMs === everyMs;
  return { kind: "interval", everyMs, anchor: anchor ?? (isSame ? before.anchor : now) };
}

function checkTimeZone(field: string, name: string | undefined, problems: Problem[]): string {
  const found = findTimeZone(name || "UTC");
  if (found === null) problems.push({ field, message: describeUnknownTimeZone(name ?? "") });
  return found ?? "UTC";
}

function describeBadTime(at: string): string {
  const accepted = "HH:MM or HH:MM:SS, 00:00 to 23:59:59, is accepted";
  if (at === "") return `is required; ${accepted}`;
  return `${quote(at)} is not a time of day; ${accepted}`;
}
