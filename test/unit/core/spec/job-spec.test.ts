import { describe, expect, test } from "vitest";
import { type JobSpec, NO_BOUNDS } from "../../../../src/core/job.ts";
import { isProblems, parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import { type RawJobSpec, rawFromSpec } from "../../../../src/core/spec/raw-job-spec.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");

function accepted(raw: RawJobSpec): JobSpec {
  return specOrThrow(parseJobSpec(raw, NOW));
}

/** Each problem as "field: message". */
function refused(raw: RawJobSpec, maxPayloadBytes = 1_048_576): string[] {
  const parsed = parseJobSpec(raw, NOW, { maxPayloadBytes });
  return isProblems(parsed) ? parsed.map(({ field, message }) => `${field}: ${message}`) : [];
}

describe("a job", () => {
  test("needs no more than a handler", () => {
    expect(accepted({ handler: "echo" })).toEqual({
      name: "echo",
      handler: "echo",
      payload: null,
      schedule: { kind: "immediate" },
      bounds: NO_BOUNDS,
      jitterMs: 0,
      misfire: "once",
      overlap: "wait",
      deadlineMs: null,
      priority: 0,
      timeoutMs: null,
      retry: { maxAttempts: 0, initialBackoffMs: 1000, maxBackoffMs: 100_000, multiplier: 2 },
      requirements: { slots: 1, memoryMb: 0, labels: {} },
      idempotencyKey: null,
      keyLife: "kept",
    });
  });

  test("with many bad fields is refused with all of them at once", () => {
    const raw: RawJobSpec = {
      name: "x".repeat(256),
      handler: "e cho",
      payload: JSON.stringify("x".repeat(99)),
      schedule: { kind: "daily", at: "25:61", timeZone: "Europe/Pariss" },
      priority: 101,
      timeoutMs: 0,
      retry: { maxAttempts: -1, initialBackoffMs: 5000, maxBackoffMs: 10, multiplier: Number.NaN },
      requirements: { slots: 0, memoryMb: 0.5, labels: { "a b": "c", ok: "v".repeat(256) } },
      idempotencyKey: "é".repeat(101),
      maxOccurrences: 0,
      jitterMs: 0,
      deadlineMs: 0,
      keyTtlMs: 0,
    };
    expect(refused(raw, 100)).toEqual([
      `handler: "e cho" is not a handler's name; 1 to 128 characters of A-Z a-z 0-9 _ $ . : / - are accepted`,
      "name: has 256 characters; up to 255 are accepted",
      "payload: is 101 bytes of JSON; up to 100 are accepted",
      'daily.at: "25:61" is not a time of day; HH:MM or HH:MM:SS, 00:00 to 23:59:59, is accepted',
      'daily.timeZone: "Europe/Pariss" is not a known time zone (did you mean "Europe/Paris"?); an IANA time zone such as "Europe/Berlin" or "UTC" is accepted',
      "maxOccurrences: is 0; a whole number from 1 to 10000 is accepted",
      "jitter: is 0s; more than 0s up to 86400s is accepted; for none leave it out",
      "retry.maxAttempts: is -1; a whole number from 0 to 2147483647 is accepted",
      "retry.maxBackoff: 0.01s is shorter than retry.initialBackoff, 5s; at least that is accepted",
      "retry.multiplier: is NaN; 1 to 100 is accepted",
      "requirements.slots: is 0; a whole number from 1 to 2147483647 is accepted",
      "requirements.memoryMb: is 0.5; a whole number from 0 to 2147483647 is accepted",
      `requirements.labels["a b"]: a label's name is 1 to 128 characters of A-Z a-z 0-9 _ . / -, the first a letter or digit`,
      `requirements.labels["ok"]: a label's value is text of up to 255 characters`,
      "idempotencyKey: has 202 bytes of UTF-8; up to 200 are accepted",
      "keyTtl: is 0s; more than 0s up to 3155760000s is accepted",
      "priority: is 101; a whole number from -100 to 100 is accepted",
      "timeout: is 0s; more than 0s up to 3155760000s is accepted",
      "deadline: is 0s; more than 0s up to 3155760000s is accepted",
    ]);
  });

  test("without a handler is refused by that name", () => {
    expect(refused({})).toEqual(['handler: is required, for example "echo"']);
    expect(() => specOrThrow(parseJobSpec({}, NOW))).toThrow("handler: is required");
  });

  test("may be named in any script, counted in characters and not in units", () => {
    expect(accepted({ handler: "echo", name: "工".repeat(127) + "🚀".repeat(128) }).name).toHaveLength(383);
    expect(refused({ handler: "echo", name: "a\0b" })).toEqual([
      'name: "a\\u0000b" has characters that cannot be stored',
    ]);
  });

  test("may carry a payload up to the limit, in bytes of UTF-8", () => {
    const payload = JSON.stringify("é");
    expect(refused({ handler: "echo", payload }, 4)).toEqual([]);
    expect(refused({ handler: "echo", payload }, 3)).toEqual([
      "payload: is 4 bytes of JSON; up to 3 are accepted",
    ]);
  });
});

describe("a timed job", () => {
  const timed = (schedule: object) =>
    ({ handler: "echo", schedule: { kind: "timed", ...schedule } }) as RawJobSpec;

  test("with a delay runs so long from now", () => {
    expect(accepted(timed({ delayMs: 3000 })).schedule).toEqual({ kind: "timed", runAt: NOW + 3000 });
    expect(accepted(timed({ delayMs: 0 })).schedule).toEqual({ kind: "timed", runAt: NOW });
  });

  test("whose time has passed runs now", () => {
    expect(accepted(timed({ runAt: NOW - 1 })).schedule).toEqual({ kind: "timed", runAt: NOW });
    expect(accepted(timed({ runAt: NOW + 1 })).schedule).toEqual({ kind: "timed", runAt: NOW + 1 });
  });

  test("is refused with a negative delay, with no time, and with two", () => {
    expect(refused(timed({ delayMs: -5 }))).toEqual([
      "timed.delay: is -0.005s; 0s up to 3155760000s is accepted",
    ]);
    expect(refused(timed({}))).toEqual(["timed: needs runAt (an instant) or delay (a time from now)"]);
    expect(refused(timed({ runAt: 1, delayMs: 1 }))).toEqual(["timed: takes runAt or delay, not both"]);
  });
});

describe("an interval", () => {
  const interval = (fields: object, more: Partial<RawJobSpec> = {}): RawJobSpec => ({
    handler: "echo",
    schedule: { kind: "interval", ...fields },
    ...more,
  });

  test("counts from its anchor, or else from now", () => {
    const everyMs = 90_000;
    expect(accepted(interval({ everyMs })).schedule).toEqual({ kind: "interval", everyMs, anchor: NOW });
    const anchored = { kind: "interval", everyMs, anchor: 5 };
    expect(accepted(interval({ everyMs, anchor: 5 })).schedule).toEqual(anchored);
  });

  test("that is described again without an anchor keeps the one it had, unless it is another interval", () => {
    const before = { ...accepted(interval({ everyMs: 90_000, anchor: 5 })) };
    expect(accepted(interval({ everyMs: 90_000 }, { before })).schedule).toEqual(before.schedule);
    expect(accepted(interval({ everyMs: 80_000 }, { before })).schedule).toMatchObject({ anchor: NOW });
    expect(accepted(interval({ everyMs: 90_000, anchor: 6 }, { before })).schedule).toMatchObject({
      anchor: 6,
    });
  });

  test("takes what recurring schedules take, and a jitter that leaves room", () => {
    const spec = accepted(
      interval({ everyMs: 90_000 }, { jitterMs: 45_000, misfire: "all", maxOccurrences: 3 }),
    );
    expect(spec).toMatchObject({ misfire: "all", bounds: { maxOccurrences: 3, lastAt: NOW + 270_000 } });
    expect(refused(interval({ everyMs: 90_000 }, { jitterMs: 45_001 }))).toEqual([
      expect.stringContaining("jitter: is 45.001s, and the schedule comes again after 90s; up to 45s"),
    ]);
  });

  test("is refused without a length, and with one under a second or over a century", () => {
    expect(refused(interval({}))).toEqual(['interval.every: is required, for example "90s"']);
    for (const everyMs of [999, 0, -1, 4e15]) {
      expect(refused(interval({ everyMs }))).toEqual([
        `interval.every: is ${everyMs / 1000}s; 1s up to 3155760000s is accepted`,
      ]);
    }
  });
});

describe("misfire", () => {
  test("is for daily, cron and interval schedules only", () => {
    for (const kind of ["immediate", "timed"] as const) {
      const schedule = kind === "timed" ? { kind, runAt: NOW } : { kind };
      expect(refused({ handler: "echo", misfire: "once", schedule })).toEqual([
        `misfire: is for daily, cron and interval schedules only, and the schedule is ${kind}; leave it out`,
      ]);
    }
    const daily = { kind: "daily", at: "08:00" } as const;
    expect(accepted({ handler: "echo", misfire: "all", schedule: daily }).misfire).toBe("all");
  });

  test("is no second problem where the schedule itself is wrong", () => {
    const schedule = { kind: "cron", expression: "0 0 30 2 *" } as const;
    expect(refused({ handler: "echo", misfire: "all", schedule })).toHaveLength(1);
  });
});

describe("backoff", () => {
  test("lets a default give way to the one that is given", () => {
    expect(accepted({ handler: "echo", retry: { initialBackoffMs: 200_000 } }).retry.maxBackoffMs).toBe(
      200_000,
    );
    expect(accepted({ handler: "echo", retry: { maxBackoffMs: 300 } }).retry.initialBackoffMs).toBe(300);
  });

  test("of 0 is refused", () => {
    expect(refused({ handler: "echo", retry: { initialBackoffMs: 0 } })).toEqual([
      "retry.initialBackoff: is 0s; more than 0s up to 3155760000s is accepted",
    ]);
  });
});

test("a spec taken apart and checked again is the same", () => {
  const spec = accepted({
    handler: "echo",
    schedule: { kind: "cron", expression: " */5 * * * * ", timeZone: "asia/tokyo" },
    misfire: "skip",
    idempotencyKey: "k",
  });
  expect(spec.schedule).toEqual({ kind: "cron", expression: "*/5 * * * *", timeZone: "Asia/Tokyo" });
  expect(parseJobSpec(rawFromSpec(spec), NOW + 1)).toEqual(spec);
});
