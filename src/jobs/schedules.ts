/** Schedules as users write them, beside their handlers: jobs that come again and again, by their names. */
import type { Schedule as CoreSchedule, Misfire, Overlap, RetryPolicy } from "../core/job.ts";
import { nameInSetProblem, setNameProblem } from "../core/spec/job-set.ts";

/** "90s", "1h30m", "500ms", "2d". */
type DurationText = string;
/** ISO 8601 text, or what becomes it in JSON, as a `Date`. */
type InstantInput = string | { toJSON(): string };
type Daily = Extract<CoreSchedule, { kind: "daily" }>;

/** Once in each `cron` time, each day, or each interval. */
export type ScheduleTime =
  | { readonly cron: string; readonly timeZone?: string }
  | {
      /** HH:MM or HH:MM:SS. */
      readonly daily: string;
      readonly timeZone?: string;
      readonly gap?: Daily["gap"];
      readonly fold?: Daily["fold"];
    }
  | { readonly every: DurationText; readonly anchor?: InstantInput };

/** What else a job can say; docs/jobs.md has what each means. */
export interface ScheduledJob<Name extends string = string> {
  readonly handler: Name;
  /** Default: the schedule's own. */
  readonly name?: string;
  readonly payload?: unknown;
  readonly startAt?: InstantInput;
  readonly endAt?: InstantInput;
  readonly maxOccurrences?: number;
  readonly jitter?: DurationText;
  readonly misfire?: Misfire;
  readonly overlap?: Overlap;
  readonly deadline?: DurationText;
  readonly priority?: number;
  readonly timeout?: DurationText;
  readonly retry?: {
    readonly [Field in "maxAttempts" | "multiplier"]?: RetryPolicy[Field];
  } & { readonly initialBackoff?: DurationText; readonly maxBackoff?: DurationText };
  readonly requirements?: {
    readonly slots?: number;
    readonly memoryMb?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export type Schedule<Name extends string = string> = ScheduledJob<Name> & ScheduleTime;

export interface ScheduleOptions<Name extends string = string> {
  /** By their names. All that this module has: what its set had before, and is not here, is deleted. */
  readonly schedules: Readonly<Record<string, Schedule<Name>>>;
  /** The name of the set; each module whose nodes share a cluster needs its own. Default: "default". */
  readonly set?: string;
  /** Tells a newer module from an older one: of the older, nothing is put. Default: the setting SCHEDULES_GENERATION. */
  readonly generation?: number;
}

/** What can be told without knowing what a schedule means; the rest is checked where the node starts. */
export function checkSchedules({ schedules, set, generation }: ScheduleOptions): void {
  const wrongSet = set === undefined ? null : setNameProblem(set);
  if (wrongSet !== null) throw new TypeError(`defineJobs: set: ${wrongSet}`);
  if (generation !== undefined && !(Number.isSafeInteger(generation) && generation >= 0)) {
    throw new TypeError(
      `defineJobs: generation: is ${String(generation)}; a whole number from 0 to ${Number.MAX_SAFE_INTEGER} is accepted`,
    );
  }
  if (!isObject(schedules))
    throw new TypeError("defineJobs: schedules: is no object of schedules by their names");
  for (const [name, schedule] of Object.entries(schedules)) {
    const problem = nameInSetProblem(name) ?? (isObject(schedule) ? null : `${name} is no schedule`);
    if (problem !== null) throw new TypeError(`defineJobs: schedules: ${problem}`);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
