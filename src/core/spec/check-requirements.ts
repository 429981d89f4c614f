/** What a node must have to take the job, checked. */
import { type Problem, quote } from "../errors.ts";
import type { Requirements } from "../job.ts";
import { integerProblem } from "./field-checks.ts";
import { FIELD_RANGES } from "./field-ranges.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

const MAX_LABELS = 64;
const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$/;
const MAX_LABEL_VALUE_CHARACTERS = 255;

export const NO_REQUIREMENTS: Requirements = { slots: 1, memoryMb: 0, labels: {} };

export function checkRequirements(
  raw: NonNullable<RawJobSpec["requirements"]>,
  problems: Problem[],
): Requirements {
  const { slots = 1, memoryMb = 0, labels = {} } = raw;
  integerProblem("requirements.slots", slots, FIELD_RANGES.slots, problems);
  integerProblem("requirements.memoryMb", memoryMb, FIELD_RANGES.memoryMb, problems);
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    problems.push({
      field: "requirements.labels",
      message: `has ${entries.length} labels; up to ${MAX_LABELS} are accepted`,
    });
  }
  for (const [key, value] of entries.slice(0, MAX_LABELS)) {
    const field = `requirements.labels[${quote(key)}]`;
    if (!LABEL_KEY.test(key)) {
      problems.push({
        field,
        message: "a label's name is 1 to 128 characters of A-Z a-z 0-9 _ . / -, the first a letter or digit",
      });
    } else if (value.length > MAX_LABEL_VALUE_CHARACTERS || !value.isWellFormed()) {
      problems.push({
        field,
        message: `a label's value is text of up to ${MAX_LABEL_VALUE_CHARACTERS} characters`,
      });
    }
  }
  return { slots, memoryMb, labels };
}
