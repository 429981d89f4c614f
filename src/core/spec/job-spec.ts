/**
 * What a caller asks for, checked: from plain fields to a `JobSpec`, or to all that is wrong with it
 * at once. Fields are named as in the JSON of `AddJobRequest`.
 */

import { invalidArgument, type Problem, quote } from "../errors.ts";
import { ACCEPTED_HANDLER_NAMES, isHandlerName } from "../handler-name.ts";
import type { JobSpec } from "../job.ts";
import { checkBounds } from "./check-bounds.ts";
import { checkKey, checkKeyLife } from "./check-key.ts";
import { checkFieldsFitKind, checkJitter } from "./check-recurring.ts";
import { checkRequirements, NO_REQUIREMENTS } from "./check-requirements.ts";
import { checkRetry, DEFAULT_RETRY } from "./check-retry.ts";
import { checkSchedule } from "./check-schedule.ts";
import { durationProblem, integerProblem, utf8Bytes } from "./field-checks.ts";
import { FIELD_RANGES } from "./field-ranges.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

export interface SpecLimits {
  /** Of the payload as JSON text in UTF-8. */
  readonly maxPayloadBytes: number;
}
const DEFAULT_SPEC_LIMITS: SpecLimits = { maxPayloadBytes: 1_048_576 };

const MAX_NAME_CHARACTERS = 255;

/** `now` is what a delay counts from, what a time in the past becomes, and what an end must be after. */
export function parseJobSpec(
  raw: RawJobSpec,
  now: number,
  limits: SpecLimits = DEFAULT_SPEC_LIMITS,
): JobSpec | Problem[] {
  const problems: Problem[] = [];
  const handler = checkHandler(raw.handler ?? "", problems);
  // A name that comes from the handler has only the handler's problems.
  const name = raw.name ? checkName(raw.name, problems) : handler;
  const payload = checkPayload(raw.payload ?? null, limits, problems);
  const found = problems.length;
  const schedule = checkSchedule(raw.schedule ?? { kind: "immediate" }, now, problems, raw.before?.schedule);
  const isGoodSchedule = problems.length === found;
  const spec: JobSpec = {
    handler,
    name,
    payload,
    schedule,
    bounds: checkBounds(raw, isGoodSchedule ? schedule : null, now, problems),
    jitterMs: checkJitter(raw, isGoodSchedule ? schedule : null, now, problems),
    misfire: raw.misfire ?? "once",
    overlap: raw.overlap ?? "wait",
    deadlineMs: raw.deadlineMs ?? null,
    priority: raw.priority ?? 0,
    timeoutMs: raw.timeoutMs ?? null,
    retry: raw.retry === undefined ? DEFAULT_RETRY : checkRetry(raw.retry, problems),
    requirements:
      raw.requirements === undefined ? NO_REQUIREMENTS : checkRequirements(raw.requirements, problems),
    idempotencyKey: checkKey(raw.idempotencyKey || null, problems),
    keyLife: checkKeyLife(raw, problems),
    ...(raw.allowsUnknownHandler && { allowsUnknownHandler: true }),
  };
  checkFieldsFitKind(raw, problems);
  integerProblem("priority", spec.priority, FIELD_RANGES.priority, problems);
  if (spec.timeoutMs !== null) durationProblem("timeout", spec.timeoutMs, 1, problems);
  if (spec.deadlineMs !== null) durationProblem("deadline", spec.deadlineMs, 1, problems);
  return problems.length > 0 ? problems : spec;
}

/** The spec, or a throw of all that is wrong with it. */
export function specOrThrow(parsed: JobSpec | readonly Problem[]): JobSpec {
  if (isProblems(parsed)) throw invalidArgument(parsed);
  return parsed;
}

export function isProblems(parsed: JobSpec | readonly Problem[]): parsed is readonly Problem[] {
  return Array.isArray(parsed);
}

function checkHandler(handler: string, problems: Problem[]): string {
  if (handler === "") {
    problems.push({ field: "handler", message: 'is required, for example "echo"' });
  } else if (!isHandlerName(handler)) {
    problems.push({
      field: "handler",
      message: `${quote(handler)} is not a handler's name; ${ACCEPTED_HANDLER_NAMES}`,
    });
  }
  return handler;
}

function checkName(name: string, problems: Problem[]): string {
  // Code points, as the database counts them: no more than units, and at least half as many.
  const { length } = name;
  const characters =
    length <= MAX_NAME_CHARACTERS || length > 2 * MAX_NAME_CHARACTERS ? length : [...name].length;
  if (characters > MAX_NAME_CHARACTERS) {
    problems.push({
      field: "name",
      message: `has ${characters} characters; up to ${MAX_NAME_CHARACTERS} are accepted`,
    });
  }
  if (!name.isWellFormed() || name.includes("\0")) {
    problems.push({ field: "name", message: `${quote(name)} has characters that cannot be stored` });
  }
  return name;
}

/** The same spec with this payload, JSON text; or what is wrong with that. */
export function withPayload(
  spec: JobSpec,
  payload: string,
  limits: SpecLimits = DEFAULT_SPEC_LIMITS,
): JobSpec | Problem[] {
  const problems: Problem[] = [];
  checkPayload(payload, limits, problems);
  return problems.length > 0 ? problems : { ...spec, payload };
}

function checkPayload(payload: string | null, limits: SpecLimits, problems: Problem[]): string | null {
  // At most three bytes for each unit: most payloads need no counting.
  if (payload === null || 3 * payload.length <= limits.maxPayloadBytes) return payload;
  const bytes = utf8Bytes(payload);
  if (bytes > limits.maxPayloadBytes) {
    problems.push({
      field: "payload",
      message: `is ${bytes} bytes of JSON; up to ${limits.maxPayloadBytes} are accepted`,
    });
  }
  return payload;
}
