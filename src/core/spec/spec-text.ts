/**
 * The text in the `spec` column: all of a JobSpec but name, priority and payload, which have columns
 * of their own. What equals a default is left out, so most rows hold little more than the handler.
 *
 * These defaults belong to the stored format and are frozen: a new default of the API must not
 * change what jobs that are already stored mean. A node of another version may have written fields
 * that this one does not know; they are ignored.
 */
import {
  type Bounds,
  type JobSpec,
  type KeyLife,
  type Misfire,
  NO_BOUNDS,
  type Overlap,
  type Requirements,
  type RetryPolicy,
  type Schedule,
} from "../job.ts";

const STORED_RETRY: RetryPolicy = {
  maxAttempts: 0,
  initialBackoffMs: 1_000,
  maxBackoffMs: 100_000,
  multiplier: 2,
};
const STORED_REQUIREMENTS: Requirements = { slots: 1, memoryMb: 0, labels: {} };
const IMMEDIATE: Schedule = { kind: "immediate" };

interface SpecText {
  readonly handler: string;
  readonly schedule?: Schedule;
  readonly bounds?: Partial<Bounds>;
  readonly jitterMs?: number;
  readonly misfire?: Misfire;
  readonly overlap?: Overlap;
  readonly deadlineMs?: number;
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly requirements?: Partial<Requirements>;
  readonly idempotencyKey?: string;
  readonly keyLife?: KeyLife;
  readonly startsAt?: number;
  readonly isPausing?: true;
  readonly resumedAt?: number;
}

/** Whether both have the same text for sure, seen without looking into their parts. */
export function sharesText(one: JobSpec, other: JobSpec): boolean {
  return (
    one.handler === other.handler &&
    one.schedule === other.schedule &&
    one.bounds === other.bounds &&
    one.jitterMs === other.jitterMs &&
    one.misfire === other.misfire &&
    one.overlap === other.overlap &&
    one.deadlineMs === other.deadlineMs &&
    one.timeoutMs === other.timeoutMs &&
    one.retry === other.retry &&
    one.requirements === other.requirements &&
    one.idempotencyKey === other.idempotencyKey &&
    one.keyLife === other.keyLife &&
    one.startsAt === other.startsAt &&
    one.isPausing === other.isPausing &&
    one.resumedAt === other.resumedAt
  );
}

export function encodeSpec(spec: JobSpec): string {
  const { bounds, retry, requirements } = spec;
  // JSON.stringify drops what is undefined.
  return JSON.stringify({
    handler: spec.handler,
    schedule: spec.schedule.kind === "immediate" ? undefined : spec.schedule,
    bounds: unlessEmpty({
      startAt: bounds.startAt ?? undefined,
      endAt: bounds.endAt ?? undefined,
      maxOccurrences: bounds.maxOccurrences ?? undefined,
      lastAt: bounds.lastAt ?? undefined,
    }),
    jitterMs: unlessSame(spec.jitterMs, 0),
    misfire: unlessSame(spec.misfire, "once"),
    overlap: unlessSame(spec.overlap, "wait"),
    deadlineMs: spec.deadlineMs ?? undefined,
    timeoutMs: spec.timeoutMs ?? undefined,
    retry: unlessEmpty({
      maxAttempts: unlessSame(retry.maxAttempts, STORED_RETRY.maxAttempts),
      initialBackoffMs: unlessSame(retry.initialBackoffMs, STORED_RETRY.initialBackoffMs),
      maxBackoffMs: unlessSame(retry.maxBackoffMs, STORED_RETRY.maxBackoffMs),
      multiplier: unlessSame(retry.multiplier, STORED_RETRY.multiplier),
    }),
    requirements: unlessEmpty({
      slots: unlessSame(requirements.slots, STORED_REQUIREMENTS.slots),
      memoryMb: unlessSame(requirements.memoryMb, STORED_REQUIREMENTS.memoryMb),
      labels: unlessEmpty(requirements.labels),
    }),
    idempotencyKey: spec.idempotencyKey ?? undefined,
    keyLife: unlessSame(spec.keyLife, "kept"),
    startsAt: spec.startsAt,
    isPausing: spec.isPausing,
    resumedAt: spec.resumedAt,
  });
}

export function decodeSpec(
  text: string,
  columns: { readonly name: string; readonly priority: number; readonly payload: string | null },
): JobSpec {
  // Only this project writes the column, so its shape is trusted.
  const stored = JSON.parse(text) as SpecText;
  const { retry, requirements } = stored;
  return {
    name: columns.name,
    handler: stored.handler,
    payload: columns.payload,
    schedule: stored.schedule ?? IMMEDIATE,
    bounds: stored.bounds ? { ...NO_BOUNDS, ...stored.bounds } : NO_BOUNDS,
    jitterMs: stored.jitterMs ?? 0,
    misfire: stored.misfire ?? "once",
    overlap: stored.overlap ?? "wait",
    deadlineMs: stored.deadlineMs ?? null,
    priority: columns.priority,
    timeoutMs: stored.timeoutMs ?? null,
    retry: retry
      ? {
          maxAttempts: retry.maxAttempts ?? STORED_RETRY.maxAttempts,
          initialBackoffMs: retry.initialBackoffMs ?? STORED_RETRY.initialBackoffMs,
          maxBackoffMs: retry.maxBackoffMs ?? STORED_RETRY.maxBackoffMs,
          multiplier: retry.multiplier ?? STORED_RETRY.multiplier,
        }
      : STORED_RETRY,
    requirements: requirements
      ? {
          slots: requirements.slots ?? STORED_REQUIREMENTS.slots,
          memoryMb: requirements.memoryMb ?? STORED_REQUIREMENTS.memoryMb,
          labels: requirements.labels ?? STORED_REQUIREMENTS.labels,
        }
      : STORED_REQUIREMENTS,
    idempotencyKey: stored.idempotencyKey ?? null,
    keyLife: stored.keyLife ?? "kept",
    ...(stored.startsAt !== undefined && { startsAt: stored.startsAt }),
    ...(stored.isPausing && { isPausing: true }),
    ...(stored.resumedAt !== undefined && { resumedAt: stored.resumedAt }),
  };
}

function unlessSame<T>(value: T, stored: NoInfer<T>): T | undefined {
  return value === stored ? undefined : value;
}

function unlessEmpty<T extends object>(fields: T): T | undefined {
  return Object.values(fields).some((value) => value !== undefined) ? fields : undefined;
}
