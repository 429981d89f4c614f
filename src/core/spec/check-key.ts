/** The idempotency key and how long it names its job, checked. */
import type { Problem } from "../errors.ts";
import type { KeyLife } from "../job.ts";
import { durationProblem, utf8Bytes } from "./field-checks.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

const MAX_KEY_BYTES = 200;

export function checkKey(key: string | null, problems: Problem[]): string | null {
  if (key === null) return null;
  const bytes = utf8Bytes(key);
  if (bytes > MAX_KEY_BYTES) {
    problems.push({
      field: "idempotencyKey",
      message: `has ${bytes} bytes of UTF-8; up to ${MAX_KEY_BYTES} are accepted`,
    });
  } else if (!key.isWellFormed()) {
    problems.push({ field: "idempotencyKey", message: "is not valid Unicode text" });
  }
  return key;
}

export function checkKeyLife(raw: RawJobSpec, problems: Problem[]): KeyLife {
  const { keyLife, keyTtlMs, keyReuse } = raw;
  if (!raw.idempotencyKey) {
    const message = "says how long an idempotencyKey names its job, and there is none; leave it out";
    if (keyLife !== undefined) problems.push({ field: "keyLife", message });
    if (keyTtlMs !== undefined) problems.push({ field: "keyTtl", message });
    if (keyReuse !== undefined) {
      const why =
        "says what an add is answered whose idempotencyKey is taken, and there is none; leave it out";
      problems.push({ field: "keyReuse", message: why });
    }
  } else if (keyLife !== undefined && keyTtlMs !== undefined) {
    problems.push({ field: "keyTtl", message: "is given beside keyLife; one of the two is accepted" });
  }
  if (keyTtlMs === undefined) return keyLife ?? "kept";
  durationProblem("keyTtl", keyTtlMs, 1, problems);
  return keyTtlMs;
}
