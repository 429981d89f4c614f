import { type JobSpec, NO_BOUNDS } from "../job.ts";

/** An occurrence of another job: its time as the schedule names it, and when it is due. */
export interface ParentOccurrence {
  readonly runAt: number;
  readonly dueAt: number;
}

/** What a job of its own for one occurrence of another job is to do: the same, once. Null: now. */
export function childSpec(parent: JobSpec, occurrence: ParentOccurrence | null): JobSpec {
  const { startsAt: _, isPausing: __, resumedAt: ___, ...spec } = parent;
  return {
    ...spec,
    schedule: occurrence === null ? { kind: "immediate" } : { kind: "timed", runAt: occurrence.runAt },
    bounds: NO_BOUNDS,
    jitterMs: 0,
    // Counted from when it was due: without jitter that is its time, here.
    deadlineMs: spec.deadlineMs && spec.deadlineMs + (occurrence ? occurrence.dueAt - occurrence.runAt : 0),
    misfire: "once",
    overlap: "wait",
    idempotencyKey: null,
    keyLife: "kept",
  };
}
