/** The text of a spec, kept for the next job: those that are added together mostly differ in what is not in the text. */
import type { JobSpec } from "../core/job.ts";
import { encodeSpec, sharesText } from "../core/spec/spec-text.ts";

let last: { readonly spec: JobSpec; readonly text: string } | null = null;

export function specText(spec: JobSpec): string {
  if (last === null || !sharesText(spec, last.spec)) last = { spec, text: encodeSpec(spec) };
  return last.text;
}
