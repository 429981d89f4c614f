/** What only daily and cron schedules take, checked. */
import type { Problem } from "./errors.ts";
import type { Schedule } from "./job.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

const MAX_JITTER_MS = 86_400_000;

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
  if (kind === "daily" || kind === "cron") return;
  for (const [field, key] of FIELDS) {
    if (raw[key] === undefined || raw[key] === null) continue;
    const message = `is for daily and cron schedules only, and the schedule is ${kind}; leave it out`;
    problems.push({ field, message });
  }
}

export function checkJitter(jitterMs: number | undefined, problems: Problem[]): number {
  if (jitterMs === undefined) return 0;
  if (!(Number.isSafeInteger(jitterMs) && jitterMs > 0 && jitterMs <= MAX_JITTER_MS)) {
    const message = `is ${jitterMs / 1000}s; more than 0s up to ${MAX_JITTER_MS / 1000}s is accepted; for none leave it out`;
    problems.push({ field: "jitter", message });
  }
  return jitterMs;
}
