/** Which fields an update changes. */
import { type Problem, quote } from "../../core/errors.ts";
import type { Job } from "../../gen/elasticjob/v1/job_pb.ts";

const SCHEDULES = ["immediate", "timed", "daily", "cron", "interval"] as const;
const PATHS = [
  "name",
  "handler",
  "payload",
  "schedule",
  "start_at",
  "end_at",
  "max_occurrences",
  "jitter",
  "misfire",
  "overlap",
  "deadline",
  "priority",
  "timeout",
  "retry",
  "retry.max_attempts",
  "retry.initial_backoff",
  "retry.max_backoff",
  "retry.multiplier",
  "requirements",
  "requirements.slots",
  "requirements.memory_mb",
  "requirements.labels",
] as const;
export type UpdatePath = (typeof PATHS)[number];

/** The paths that the mask names; `immediate`, `timed`, `daily`, `cron` and `interval` become `schedule`. */
export function pathsFromMask(mask: readonly string[], job: Job, problems: Problem[]): Set<UpdatePath> {
  const paths = new Set<UpdatePath>();
  for (const asked of mask) {
    const path = asked.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const known = PATHS.find((candidate) => candidate === (path === "payload_json" ? "payload" : path));
    const schedule = SCHEDULES.find((kind) => kind === path);
    if (known) {
      paths.add(known);
      if (known === "schedule" && job.schedule.case === undefined) problems.push(noSchedule());
    } else if (schedule) {
      paths.add("schedule");
      if (job.schedule.case !== schedule) problems.push(otherSchedule(schedule, job));
    } else problems.push(unknownPath(asked));
  }
  return paths;
}

/**
 * Without a mask: what is set in `job`, to its default too, for retry and requirements each of their fields on its own.
 * What is there and empty may mean its default, or nothing: its name is asked for.
 * What only the cluster sets (status, revision, …) is passed over, so that a job as it was read can
 * be sent back with a change.
 */
export function pathsSetIn(job: Job, problems: Problem[]): Set<UpdatePath> {
  const { retry, requirements } = job;
  const isSet: Readonly<Record<UpdatePath, boolean>> = {
    name: job.name !== undefined,
    handler: job.handler !== undefined,
    payload: job.payload !== undefined || job.payloadJson !== undefined,
    schedule: job.schedule.case !== undefined,
    start_at: job.startAt !== undefined,
    end_at: job.endAt !== undefined,
    max_occurrences: job.maxOccurrences !== undefined,
    jitter: job.jitter !== undefined,
    misfire: job.misfire !== 0,
    overlap: job.overlap !== 0,
    deadline: job.deadline !== undefined,
    priority: job.priority !== undefined,
    timeout: job.timeout !== undefined,
    retry: false,
    "retry.max_attempts": retry?.maxAttempts !== undefined,
    "retry.initial_backoff": retry?.initialBackoff !== undefined,
    "retry.max_backoff": retry?.maxBackoff !== undefined,
    "retry.multiplier": retry?.multiplier !== undefined,
    requirements: false,
    "requirements.slots": requirements?.slots !== undefined,
    "requirements.memory_mb": requirements?.memoryMb !== undefined,
    "requirements.labels": Object.keys(requirements?.labels ?? {}).length > 0,
  };
  const paths = PATHS.filter((path) => isSet[path]);
  const has = (field: string) => paths.some((path) => path.startsWith(`${field}.`));
  const empty = (["retry", "requirements"] as const).filter(
    (field) => job[field] !== undefined && !has(field),
  );
  for (const field of empty) problems.push(isEmpty(field));
  return new Set(paths);
}

function isEmpty(field: "retry" | "requirements"): Problem {
  const within = field === "requirements" ? " (or requirements.labels)" : "";
  const message = `is empty, and may mean its default, or nothing; name ${field}${within} in updateMask to set it to its default`;
  return { field: `job.${field}`, message };
}

export function nothingSet(): Problem {
  const accepted = "set one, or name in updateMask what is to take its default";
  return { field: "job", message: `has no field set that can be changed; ${accepted}` };
}

function noSchedule(): Problem {
  const accepted = `one of ${SCHEDULES.join(", ")} is accepted`;
  return { field: "job.schedule", message: `is named by updateMask, and not set; ${accepted}` };
}

function otherSchedule(schedule: string, job: Job): Problem {
  const set = job.schedule.case ? `${job.schedule.case} is set` : "no schedule is set";
  return { field: "updateMask", message: `names ${schedule}, but in job ${set}` };
}

function unknownPath(asked: string): Problem {
  const accepted = [...PATHS, ...SCHEDULES]
    .map((path) => path.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
    .join(", ");
  return {
    field: "updateMask",
    message: `${quote(asked)} is not a field that can be changed; accepted are ${accepted}`,
  };
}
