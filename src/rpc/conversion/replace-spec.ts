/** A job's spec after a caller has replaced it: what callers do not say stays, and what is the same stays the same object. */
import type { JobSpec } from "../../core/job.ts";
import { canonicalJson } from "../../core/json/canonical-json.ts";
import { encodeSpec } from "../../core/spec/spec-text.ts";

/** `before` itself, where nothing changes. */
export function replaceSpec(before: JobSpec, asked: JobSpec): JobSpec {
  const { isPausing, resumedAt, schedule, startsAt } = before;
  const kept = { ...(isPausing && { isPausing }), ...(resumedAt !== undefined && { resumedAt }) };
  if (JSON.stringify(asked.schedule) !== JSON.stringify(schedule)) return { ...asked, ...kept };
  const after = { ...asked, ...kept, schedule, ...(startsAt !== undefined && { startsAt }) };
  return isSame(before, after) ? before : after;
}

function isSame(one: JobSpec, other: JobSpec): boolean {
  return (
    one.name === other.name &&
    one.priority === other.priority &&
    isSameJson(one.payload, other.payload) &&
    isSameJson(encodeSpec(one), encodeSpec(other))
  );
}

function isSameJson(one: string | null, other: string | null): boolean {
  return one === other || (one !== null && other !== null && canonicalJson(one) === canonicalJson(other));
}
