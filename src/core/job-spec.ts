/**
 * What a caller asks for, checked: from plain fields, as any wire format may give them, to a `JobSpec`,
 * or to all that is wrong with it at once. Fields are named as in the JSON of `AddJobRequest`.
 */
import { checkSchedule, type RawSchedule } from "./check-schedule.ts";
import { invalidArgument, type Problem } from "./errors.ts";
import { durationProblem, integerProblem } from "./field-checks.ts";
import type { JobSpec, Misfire, Requirements, RetryPolicy } from "./job.ts";
import { isRecurring } from "./schedule.ts";

/** Absent fields take their defaults. */
export interface RawJobSpec {
  readonly name?: string | undefined;
  readonly handler?: string | undefined;
  /** JSON text. */
  readonly payload?: string | null | undefined;
  /** Absent: immediate. */
  readonly schedule?: RawSchedule | undefined;
  readonly misfire?: Misfire | undefined;
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
}

export interface SpecLimits {
  /** Of the payload as JSON text in UTF-8. */
  readonly maxPayloadBytes: number;
}
export const DEFAULT_SPEC_LIMITS: SpecLimits = { maxPayloadBytes: 1_048_576 };

const MAX_NAME_CHARACTERS = 255;
const MAX_KEY_BYTES = 200;
const HANDLER = /^[A-Za-z0-9_$.:/-]{1,128}$/;
const MAX_LABELS = 64;
const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$/;
const MAX_LABEL_VALUE_CHARACTERS = 255;
const MAX_INT32 = 2_147_483_647;
const DEFAULT_INITIAL_BACKOFF_MS = 1_000;
const DEFAULT_MAX_BACKOFF_MS = 100_000;

/** `now` is what a delay counts from, and what a time in the past becomes. */
export function parseJobSpec(
  raw: RawJobSpec,
  now: number,
  limits: SpecLimits = DEFAULT_SPEC_LIMITS,
): JobSpec | Problem[] {
  const problems: Problem[] = [];
  const handler = raw.handler ?? "";
  const spec: JobSpec = {
    handler: checkHandler(handler, problems),
    // A name that comes from the handler has only the handler's problems.
    name: raw.name ? checkName(raw.name, problems) : handler,
    payload: checkPayload(raw.payload ?? null, limits, problems),
    schedule: checkSchedule(raw.schedule ?? { kind: "immediate" }, now, problems),
    misfire: raw.misfire ?? "once",
    priority: raw.priority ?? 0,
    timeoutMs: raw.timeoutMs ?? null,
    retry: checkRetry(raw.retry ?? {}, problems),
    requirements: checkRequirements(raw.requirements ?? {}, problems),
    idempotencyKey: checkKey(raw.idempotencyKey || null, problems),
  };
  // By the kind asked for: a daily schedule with a bad zone is a recurring one still.
  const kind =
    raw.schedule?.kind === "unchanged" ? raw.schedule.schedule.kind : (raw.schedule?.kind ?? "immediate");
  if (raw.misfire !== undefined && kind !== "daily" && kind !== "cron") {
    problems.push({
      field: "misfire",
      message: `is for daily and cron schedules only, and the schedule is ${kind}; leave it out`,
    });
  }
  integerProblem("priority", spec.priority, -100, 100, problems);
  if (spec.timeoutMs !== null) durationProblem("timeout", spec.timeoutMs, 1, problems);
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

/** The plain fields of a spec, so that some of them can be replaced and all checked again. */
export function rawFromSpec(spec: JobSpec): RawJobSpec {
  return {
    ...spec,
    schedule: { kind: "unchanged", schedule: spec.schedule },
    misfire: isRecurring(spec.schedule) ? spec.misfire : undefined,
  };
}

function checkHandler(handler: string, problems: Problem[]): string {
  if (handler === "") {
    problems.push({ field: "handler", message: 'is required, for example "echo"' });
  } else if (!HANDLER.test(handler)) {
    problems.push({
      field: "handler",
      message: `${quote(handler)} is not a handler's name; 1 to 128 characters of A-Z a-z 0-9 _ $ . : / - are accepted`,
    });
  }
  return handler;
}

function checkName(name: string, problems: Problem[]): string {
  // Code points, as the database counts them; a code point has at most two units.
  const characters = name.length > 2 * MAX_NAME_CHARACTERS ? name.length : [...name].length;
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

function checkPayload(payload: string | null, limits: SpecLimits, problems: Problem[]): string | null {
  const bytes = payload === null ? 0 : utf8Bytes(payload);
  if (bytes > limits.maxPayloadBytes) {
    problems.push({
      field: "payload",
      message: `is ${bytes} bytes of JSON; up to ${limits.maxPayloadBytes} are accepted`,
    });
  }
  return payload;
}

function checkRetry(raw: NonNullable<RawJobSpec["retry"]>, problems: Problem[]): RetryPolicy {
  // When only one of the two is given, the other's default gives way to it.
  const initialBackoffMs =
    raw.initialBackoffMs ??
    Math.min(DEFAULT_INITIAL_BACKOFF_MS, raw.maxBackoffMs ?? DEFAULT_INITIAL_BACKOFF_MS);
  const maxBackoffMs = raw.maxBackoffMs ?? Math.max(DEFAULT_MAX_BACKOFF_MS, initialBackoffMs);
  const retry = {
    maxAttempts: raw.maxAttempts ?? 0,
    initialBackoffMs,
    maxBackoffMs,
    multiplier: raw.multiplier ?? 2,
  };
  integerProblem("retry.maxAttempts", retry.maxAttempts, 0, MAX_INT32, problems);
  // A wait of 0 would be a loop as fast as the machine.
  const initialIsFine = durationProblem("retry.initialBackoff", initialBackoffMs, 1, problems);
  const maxIsFine = durationProblem("retry.maxBackoff", maxBackoffMs, 1, problems);
  if (initialIsFine && maxIsFine && maxBackoffMs < initialBackoffMs) {
    problems.push({
      field: "retry.maxBackoff",
      message: `${maxBackoffMs / 1000}s is shorter than retry.initialBackoff, ${initialBackoffMs / 1000}s; at least that is accepted`,
    });
  }
  if (!(retry.multiplier >= 1 && retry.multiplier <= 100)) {
    problems.push({ field: "retry.multiplier", message: `is ${retry.multiplier}; 1 to 100 is accepted` });
  }
  return retry;
}

function checkRequirements(raw: NonNullable<RawJobSpec["requirements"]>, problems: Problem[]): Requirements {
  const { slots = 1, memoryMb = 0, labels = {} } = raw;
  integerProblem("requirements.slots", slots, 1, MAX_INT32, problems);
  integerProblem("requirements.memoryMb", memoryMb, 0, MAX_INT32, problems);
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

function checkKey(key: string | null, problems: Problem[]): string | null {
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

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** A value for a message, cut where it would flood it. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
