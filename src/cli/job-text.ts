import type { InstantInput, Job, JobResult, JobState, Json } from "../client/job-json.ts";
import { formatFields, oneLine } from "./table.ts";

/** The server has no longer ones. */
const MAX_PROGRESS_CHARACTERS = 200;

/** The name without its enum's prefix: JOB_STATUS_WAITING is WAITING. */
export function enumText(value: string): string {
  return value.replace(/^(JOB_STATUS|PUT_OUTCOME|OUTCOME|MISFIRE|OVERLAP|GAP|FOLD|KEY_LIFE)_/, "");
}

/** UTC, to the second. */
export function instantText(instant: InstantInput | undefined): string {
  if (instant === undefined) return "";
  const text = typeof instant === "string" ? instant : instant.toJSON();
  return text.replace(/\.\d+Z$/, "Z");
}

export function scheduleText({ timed, daily, cron, interval }: Job): string {
  if (timed !== undefined) return "runAt" in timed ? `at ${instantText(timed.runAt)}` : `in ${timed.delay}`;
  if (daily !== undefined) return `daily ${daily.at} ${daily.timeZone || "UTC"}`;
  if (cron !== undefined) return `cron ${cron.expression} ${cron.timeZone || "UTC"}`;
  if (interval !== undefined) return `every ${interval.every} from ${instantText(interval.anchor)}`;
  return "immediate";
}

export function tookText({ startTime, endTime }: JobResult): string {
  if (startTime === undefined || endTime === undefined) return "";
  return `${(Date.parse(endTime) - Date.parse(startTime)) / 1_000}s`;
}

/** What came of it, in a few words: the output, the error, or the reason. */
export function resultText({ output, outputJson, error, reason, skippedCount }: JobResult): string {
  if (error !== undefined) return `${error.name}: ${error.message}`;
  if (reason !== "") return skippedCount > 1 ? `${reason} (${skippedCount} occurrences)` : reason;
  return exactly(output, outputJson);
}

/** With all digits, which the value may not have. */
function exactly(value: Json | undefined, text: string | undefined): string {
  return text ?? (value === undefined ? "" : JSON.stringify(value));
}

/** The job's state as one line of `watch`. */
export function changeText({ job, lastResult }: JobState): string {
  const parts = [instantText(job.updateTime), enumText(job.status).padEnd(9)];
  if (job.attempt > 0) parts.push(`attempt ${job.attempt}`);
  if (job.nodeId !== "") parts.push(`on ${job.nodeId}`);
  if (job.progress !== undefined) parts.push(progressText(job.progress));
  if (job.nextRunAt !== undefined) parts.push(`next run ${instantText(job.nextRunAt)}`);
  if (job.reason !== "") parts.push(`(${job.reason})`);
  if (lastResult !== undefined) {
    parts.push(`last result ${enumText(lastResult.outcome)} ${resultText(lastResult)}`.trimEnd());
  }
  return parts.join("  ");
}

function progressText({ fraction, text }: NonNullable<Job["progress"]>): string {
  return `${Math.floor(fraction * 100)}% ${oneLine(text, MAX_PROGRESS_CHARACTERS)}`.trimEnd();
}

/** One line on where a job stands, after a command changed that. */
export function standText(job: Job): string {
  const when = job.nextRunAt === undefined ? "" : `, next run ${instantText(job.nextRunAt)}`;
  return `job ${job.jobId} is ${enumText(job.status)}${when}${job.reason === "" ? "" : ` (${job.reason})`}`;
}

/** All of one job, for `status`. */
export function stateText({ job, lastResult }: JobState): string {
  return formatFields([
    ["job", job.jobId],
    ["name", job.name],
    ["handler", job.handler],
    ["parent", job.parentId],
    ["status", enumText(job.status)],
    ["schedule", scheduleText(job)],
    ["next run", instantText(job.nextRunAt)],
    ["reason", job.reason],
    ["node", job.nodeId],
    ["progress", job.progress === undefined ? "" : progressText(job.progress)],
    ["attempt", job.attempt === 0 ? "" : String(job.attempt)],
    ["payload", exactly(job.payload, job.payloadJson)],
    ["key", job.idempotencyKey],
    ["created", instantText(job.createTime)],
    ["changed", instantText(job.updateTime)],
    ["last result", lastResult === undefined ? "" : enumText(lastResult.outcome)],
    ["  ended", instantText(lastResult?.endTime)],
    ["  came of it", lastResult === undefined ? "" : resultText(lastResult)],
    ["  retried at", instantText(lastResult?.retryAt)],
  ]);
}
