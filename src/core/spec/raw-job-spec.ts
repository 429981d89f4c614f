/** A job as plain fields, as any wire format may give them: named as in the JSON of `AddJobRequest`. */

import { isRecurring } from "../calendar/schedule.ts";
import type { JobSpec, Misfire, Overlap, RetryPolicy } from "../job.ts";
import type { RawSchedule } from "./check-schedule.ts";

/** Which adds are answered with the job that their key names: those that ask for the same, or any. */
type KeyReuse = "same_body" | "any_body";

/** Absent fields take their defaults. */
export interface RawJobSpec {
  readonly name?: string | undefined;
  readonly handler?: string | undefined;
  /** JSON text. */
  readonly payload?: string | null | undefined;
  /** Absent: immediate. */
  readonly schedule?: RawSchedule | undefined;
  readonly startAt?: number | null | undefined;
  readonly endAt?: number | null | undefined;
  readonly maxOccurrences?: number | null | undefined;
  readonly jitterMs?: number | undefined;
  readonly misfire?: Misfire | undefined;
  readonly overlap?: Overlap | undefined;
  readonly deadlineMs?: number | null | undefined;
  readonly priority?: number | undefined;
  readonly timeoutMs?: number | null | undefined;
  readonly retry?: { readonly [Field in keyof RetryPolicy]?: number | undefined } | undefined;
  readonly requirements?:
    | {
        readonly slots?: number | undefined;
        readonly memoryMb?: number | undefined;
        readonly labels?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly keyLife?: "kept" | "unfinished" | undefined;
  readonly keyTtlMs?: number | undefined;
  /** The job that it is added for; nothing of its spec. 0: none. */
  readonly parentId?: number | undefined;
  readonly allowsUnknownHandler?: boolean | undefined;
  /** Says how the add is answered when its key is taken; nothing of the job. */
  readonly keyReuse?: KeyReuse | undefined;
  /** What was accepted before: what does not change is not found anew, nor checked against the present, or newer rules. */
  readonly before?: Pick<JobSpec, "schedule" | "bounds" | "jitterMs"> | undefined;
}

/** The plain fields of a spec, so that some of them can be replaced and all checked again. */
export function rawFromSpec(spec: JobSpec): RawJobSpec {
  const { name, handler, payload, schedule, bounds, priority, deadlineMs, timeoutMs } = spec;
  const { retry, requirements, idempotencyKey, keyLife } = spec;
  return {
    name,
    handler,
    payload,
    schedule: { kind: "unchanged", schedule },
    ...(isRecurring(schedule) && {
      startAt: bounds.startAt,
      endAt: bounds.endAt,
      maxOccurrences: bounds.maxOccurrences,
      jitterMs: spec.jitterMs || undefined,
      misfire: spec.misfire,
      overlap: spec.overlap,
    }),
    priority,
    deadlineMs,
    timeoutMs,
    retry,
    requirements,
    idempotencyKey,
    ...(idempotencyKey !== null && (typeof keyLife === "number" ? { keyTtlMs: keyLife } : { keyLife })),
    before: { schedule, bounds, jitterMs: spec.jitterMs },
  };
}
