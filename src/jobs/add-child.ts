/** What a handler can add: jobs that run once, as children of its own. */
import type { ScheduledJob } from "./schedules.ts";

/** docs/jobs.md has what each means. */
export interface AddOptions
  extends Pick<ScheduledJob, "name" | "priority" | "timeout" | "retry" | "requirements" | "deadline"> {
  /** When it runs; default: now. */
  readonly runAt?: ScheduledJob["startAt"];
  /** How long from now it runs: "90s", "1h30m". Instead of `runAt`. */
  readonly delay?: string;
  /**
   * Names the child among those of this occurrence, so that another attempt that adds it finds it. Default: the how-manieth add of the
   * attempt it is. For a handler that may add in another order the next time.
   */
  readonly key?: string;
}
