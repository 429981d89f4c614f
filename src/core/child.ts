import { type JobSpec, NO_BOUNDS } from "./job.ts";

/**
 * What a job of its own for one occurrence of another job is to do: the same, once. `runAt`: the
 * occurrence; null: now.
 */
export function childSpec(parent: JobSpec, runAt: number | null): JobSpec {
  const { startsAt: _, isPausing: __, resumedAt: ___, ...spec } = parent;
  return {
    ...spec,
    schedule: runAt === null ? { kind: "immediate" } : { kind: "timed", runAt },
    bounds: NO_BOUNDS,
    jitterMs: 0,
    misfire: "once",
    overlap: "wait",
    idempotencyKey: null,
    keyLife: "kept",
  };
}
