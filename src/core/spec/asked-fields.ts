/**
 * What a caller asked for, field by field, so that two adds under one key can be compared: with defaults filled in, a
 * delay as a delay, payloads whatever the order of their keys. It does not depend on the time, nor on the protocol.
 *
 * The numbers and texts are stored, as digests, and compared by nodes of other versions: none may change. A field that
 * is new gets a new number, and is null where it holds its default.
 */
import { parseTimeOfDay } from "../calendar/daily.ts";
import { DEFAULT_RETRY, filledRetry } from "./check-retry.ts";
import type { RawSchedule } from "./check-schedule.ts";
import type { RawJobSpec } from "./raw-job-spec.ts";

export interface AskedField {
  /** 1 to 255. */
  readonly number: number;
  /** As in the JSON of `AddJobRequest`. */
  readonly name: string;
  /** Null: the default. */
  readonly textOf: (asked: RawJobSpec) => string | null;
}

/** The payload's text is compared by its canonical form; it stands apart, as it is often the only one that differs. */
export const PAYLOAD_FIELD: Omit<AskedField, "textOf"> = { number: 3, name: "payload" };

const field = (number: number, name: string, textOf: AskedField["textOf"]): AskedField => {
  return { number, name, textOf };
};

export const ASKED_FIELDS: readonly AskedField[] = [
  // A name that is the handler's is what a job without one gets.
  field(1, "name", ({ name, handler }) => unless(name || handler, handler ?? "")),
  field(2, "handler", ({ handler }) => unless(handler, "")),
  field(4, "schedule", ({ schedule }) => scheduleText(schedule)),
  field(5, "startAt", ({ startAt }) => unless(startAt, null)),
  field(6, "endAt", ({ endAt }) => unless(endAt, null)),
  field(7, "maxOccurrences", ({ maxOccurrences }) => unless(maxOccurrences, null)),
  field(8, "jitter", ({ jitterMs }) => unless(jitterMs, 0)),
  field(9, "misfire", ({ misfire }) => unless(misfire, "once")),
  field(10, "overlap", ({ overlap }) => unless(overlap, "wait")),
  field(11, "deadline", ({ deadlineMs }) => unless(deadlineMs, null)),
  field(12, "priority", ({ priority }) => unless(priority, 0)),
  field(13, "timeout", ({ timeoutMs }) => unless(timeoutMs, null)),
  field(14, "retry.maxAttempts", (asked) => retryText(asked, "maxAttempts")),
  field(15, "retry.initialBackoff", (asked) => retryText(asked, "initialBackoffMs")),
  field(16, "retry.maxBackoff", (asked) => retryText(asked, "maxBackoffMs")),
  field(17, "retry.multiplier", (asked) => retryText(asked, "multiplier")),
  field(18, "requirements.slots", ({ requirements }) => unless(requirements?.slots, 1)),
  field(19, "requirements.memoryMb", ({ requirements }) => unless(requirements?.memoryMb, 0)),
  field(20, "requirements.labels", ({ requirements }) => labelsText(requirements?.labels ?? {})),
  field(21, "idempotencyKey", ({ idempotencyKey }) => unless(idempotencyKey, "")),
  field(22, "keyLife", ({ keyLife }) => unless(keyLife, "kept")),
  field(23, "keyTtl", ({ keyTtlMs }) => unless(keyTtlMs, null)),
  field(24, "parentId", ({ parentId }) => unless(parentId, 0)),
];

function unless<T extends number | string | null>(value: T | null | undefined, stands: T): string | null {
  return value === undefined || value === null || value === stands ? null : String(value);
}

function retryText({ retry }: RawJobSpec, name: keyof typeof DEFAULT_RETRY): string | null {
  return retry === undefined ? null : unless(filledRetry(retry)[name], DEFAULT_RETRY[name]);
}

function labelsText(labels: Readonly<Record<string, string>>): string | null {
  const entries = Object.entries(labels);
  if (entries.length === 0) return null;
  return JSON.stringify(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function scheduleText(asked: RawSchedule | undefined): string | null {
  const schedule = asked?.kind === "unchanged" ? asked.schedule : asked;
  switch (schedule?.kind) {
    case undefined:
    case "immediate":
      return null;
    case "timed": {
      const delayMs = "delayMs" in schedule ? schedule.delayMs : undefined;
      return JSON.stringify(["timed", schedule.runAt ?? null, delayMs ?? null]);
    }
    case "daily": {
      const second = "at" in schedule ? (parseTimeOfDay(schedule.at) ?? schedule.at) : schedule.secondOfDay;
      const { timeZone, gap, fold } = schedule;
      return JSON.stringify(["daily", second, timeZone || "UTC", gap ?? "run_after", fold ?? "first"]);
    }
    case "cron":
      return JSON.stringify(["cron", schedule.expression.trim(), schedule.timeZone || "UTC"]);
    case "interval":
      return JSON.stringify(["interval", schedule.everyMs ?? null, schedule.anchor ?? null]);
  }
}
