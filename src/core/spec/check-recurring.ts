/** What only schedules that come again and again take, checked. */
import { parseCron } from "../calendar/cron.ts";
import { longestJitterMs } from "../calendar/jitter.ts";
import { isRecurringKind } from "../calendar/schedule.ts";
import type { Problem } from "../errors.ts";
import type { Schedule } from "../job.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

const MAX_JITTER_MS = 86_400_000;
/** Occurrences that are looked at for how near to each other they come: those of a week, of most schedules. */
const LOOKED_AT = 200;

/** The fields, by the names that callers know. */
const FIELDS: readonly (readonly [field: string, key: keyof RawJobSpec])[] = [
  ["misfire", "misfire"],
  ["overlap", "overlap"],
  ["jitter", "jitterMs"],
  ["startAt", "startAt"],
  ["endAt", "endAt"],
  ["maxOccurrences", "maxOccurrences"],
];

/** Says of each field that does not go with the kind of schedule that it does not. */
export function checkFieldsFitKind(raw: RawJobSpec, problems: Problem[]): void {
  // By the kind asked for: a daily schedule with a bad zone is a recurring one still.
  const kind: Schedule["kind"] =
    raw.schedule?.kind === "unchanged" ? raw.schedule.schedule.kind : (raw.schedule?.kind ?? "immediate");
  if (isRecurringKind(kind)) return;
  for (const [field, key] of FIELDS) {
    if (raw[key] === undefined || raw[key] === null) continue;
    const message = `is for daily, cron and interval schedules only, and the schedule is ${kind}; leave it out`;
    problems.push({ field, message });
  }
}

/** `schedule`: null when it is not good itself. */
export function checkJitter(
  { jitterMs, before }: RawJobSpec,
  schedule: Schedule | null,
  now: number,
  problems: Problem[],
): number {
  if (jitterMs === undefined) return 0;
  if (!(Number.isSafeInteger(jitterMs) && jitterMs > 0 && jitterMs <= MAX_JITTER_MS)) {
    const message = `is ${jitterMs / 1000}s; more than 0s up to ${MAX_JITTER_MS / 1000}s is accepted; for none leave it out`;
    problems.push({ field: "jitter", message });
    return jitterMs;
  }
  const isUnchanged =
    before?.jitterMs === jitterMs && JSON.stringify(before.schedule) === JSON.stringify(schedule);
  // A daily schedule's jitter has a day's room, as a rule.
  if ((schedule?.kind !== "cron" && schedule?.kind !== "interval") || isUnchanged) return jitterMs;
  const interval =
    schedule.kind === "interval" ? schedule.everyMs : shortestInterval(schedule.expression, now);
  const most = longestJitterMs(interval);
  if (jitterMs > most) {
    const message = `is ${jitterMs / 1000}s, and the schedule comes again after ${interval / 1000}s; up to ${most / 1000}s is accepted, so that each occurrence is due well before the next`;
    problems.push({ field: "jitter", message });
  }
  return jitterMs;
}

/** Between occurrences of the near future, on a clock that is never changed. */
function shortestInterval(expression: string, now: number): number {
  const parsed = parseCron(expression);
  let shortest = Number.POSITIVE_INFINITY;
  if ("error" in parsed) return shortest;
  let last = parsed.times.next(now);
  for (let looked = 0; last !== null && looked < LOOKED_AT; looked++) {
    const next = parsed.times.next(last + 1);
    if (next !== null) shortest = Math.min(shortest, next - last);
    last = next;
  }
  return shortest;
}
