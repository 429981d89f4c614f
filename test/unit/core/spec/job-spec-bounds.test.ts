import { describe, expect, test } from "vitest";
import { firstDue, nextDue } from "../../../../src/core/calendar/next-due.ts";
import type { JobSpec } from "../../../../src/core/job.ts";
import { isProblems, parseJobSpec, specOrThrow } from "../../../../src/core/spec/job-spec.ts";
import { type RawJobSpec, rawFromSpec } from "../../../../src/core/spec/raw-job-spec.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");
const at = (text: string) => Date.parse(text);

const NOON = { handler: "echo", schedule: { kind: "daily", at: "12:00" } } as const;

function accepted(raw: RawJobSpec, now = NOW): JobSpec {
  return specOrThrow(parseJobSpec(raw, now));
}

function refused(raw: RawJobSpec, now = NOW): string[] {
  const parsed = parseJobSpec(raw, now);
  return isProblems(parsed) ? parsed.map(({ field, message }) => `${field}: ${message}`) : [];
}

/** All occurrences, as the scheduler would go through them. */
function occurrencesOf(spec: JobSpec): string[] {
  const found: string[] = [];
  let due = firstDue({ id: 1, spec }, NOW);
  while (due !== null && found.length < 20) {
    found.push(new Date(due.scheduledAt).toISOString());
    due = nextDue({ id: 1, spec }, due.scheduledAt);
  }
  return found;
}

describe("bounds", () => {
  test("hold both ends, and the number of occurrences counts from the first", () => {
    const startAt = at("2026-10-12T12:00:00Z");
    const endAt = at("2026-10-14T12:00:00Z");
    expect(occurrencesOf(accepted({ ...NOON, startAt, endAt }))).toEqual([
      "2026-10-12T12:00:00.000Z",
      "2026-10-13T12:00:00.000Z",
      "2026-10-14T12:00:00.000Z",
    ]);
    expect(occurrencesOf(accepted({ ...NOON, maxOccurrences: 2 }))).toEqual([
      "2026-10-10T12:00:00.000Z",
      "2026-10-11T12:00:00.000Z",
    ]);
    expect(occurrencesOf(accepted({ ...NOON, startAt, maxOccurrences: 1 }))).toHaveLength(1);
  });

  test("end with whichever comes first, the time or the number", () => {
    const endAt = at("2026-10-12T00:00:00Z");
    expect(occurrencesOf(accepted({ ...NOON, endAt, maxOccurrences: 9 }))).toHaveLength(2);
    expect(accepted({ ...NOON, endAt, maxOccurrences: 9 }).bounds.lastAt).toBe(endAt);
    const lastAt = at("2026-10-10T12:00:00Z");
    expect(accepted({ ...NOON, endAt, maxOccurrences: 1 }).bounds.lastAt).toBe(lastAt);
  });

  test("count an occurrence that a gap drops", () => {
    const schedule = { kind: "daily", at: "02:30", timeZone: "Europe/Berlin", gap: "skip" } as const;
    // The clocks jump over 02:30 on 2027-03-28.
    const startAt = at("2027-03-27T00:00:00Z");
    expect(occurrencesOf(accepted({ handler: "echo", schedule, startAt, maxOccurrences: 3 }))).toEqual([
      "2027-03-27T01:30:00.000Z",
      "2027-03-28T01:00:00.000Z",
      "2027-03-29T00:30:00.000Z",
    ]);
  });

  test("may begin in the past, which changes nothing, but not end there", () => {
    expect(occurrencesOf(accepted({ ...NOON, startAt: 0, maxOccurrences: 1 }))).toEqual([
      "2026-10-10T12:00:00.000Z",
    ]);
    expect(refused({ ...NOON, endAt: NOW - 1 })).toEqual([
      "endAt: 2026-10-10T09:59:59.999Z has passed; a time after 2026-10-10T10:00:00.000Z is accepted",
    ]);
  });

  test("that contradict each other, or leave no occurrence, are refused with the reason", () => {
    expect(refused({ ...NOON, startAt: NOW + 2, endAt: NOW + 1 })).toEqual([
      "startAt: 2026-10-10T10:00:00.002Z is after endAt, 2026-10-10T10:00:00.001Z; up to that is accepted",
    ]);
    expect(refused({ ...NOON, endAt: NOW + 60_000 })).toEqual([
      "endAt: 2026-10-10T10:01:00.000Z leaves no occurrence; without it the next one is at 2026-10-10T12:00:00.000Z",
    ]);
    const startAt = at("2026-10-10T13:00:00Z");
    expect(refused({ ...NOON, startAt, endAt: startAt + 1 })).toEqual([
      "endAt: 2026-10-10T13:00:00.001Z leaves no occurrence from startAt on; without it the next one is at 2026-10-11T12:00:00.000Z",
    ]);
    expect(refused({ ...NOON, startAt: at("9999-12-31T13:00:00Z") })).toEqual([
      "startAt: 9999-12-31T13:00:00.000Z leaves no occurrence; without it the next one is at 2026-10-10T12:00:00.000Z",
    ]);
  });

  test("of a schedule that is wrong itself are no further problem, but their values are checked", () => {
    const schedule = { kind: "cron", expression: "0 0 30 2 *" } as const;
    const problems = refused({ handler: "echo", schedule, endAt: NOW + 1, maxOccurrences: 10_001 });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["cron.expression", "maxOccurrences"]);
  });

  test("stay as they were found as long as neither they nor the schedule change", () => {
    const spec = accepted({ ...NOON, endAt: NOW + 7 * 86_400_000, maxOccurrences: 3 });
    const later = NOW + 30 * 86_400_000;
    expect(accepted({ ...rawFromSpec(spec), priority: 5 }, later).bounds).toEqual(spec.bounds);
    expect(accepted({ ...rawFromSpec(spec), schedule: NOON.schedule }, later).bounds).toEqual(spec.bounds);
    const other = { kind: "daily", at: "13:00" } as const;
    expect(refused({ ...rawFromSpec(spec), schedule: other }, later)).toHaveLength(1);
  });
});

describe("jitter", () => {
  const every = (expression: string, jitterMs: number) =>
    ({ handler: "echo", schedule: { kind: "cron", expression }, jitterMs }) as const;

  test.each([
    ["*/5 * * * *", 240_000, "300s; up to 240s"],
    ["0 9,10 * * *", 59 * 60_000, "3600s; up to 3540s"],
    ["*/5 * * * * *", 2500, "5s; up to 2.5s"],
    ["0 0 1 1 *", 86_400_000, null],
  ] as const)("that reaches the next occurrence of %s is refused, %i ms is not", (expression, most, says) => {
    expect(accepted(every(expression, most)).jitterMs).toBe(most);
    if (says === null) return;
    const [interval = "", limit = ""] = says.split("; ");
    expect(refused(every(expression, most + 1000))).toEqual([
      `jitter: is ${(most + 1000) / 1000}s, and the schedule comes again after ${interval}; ${limit} is accepted, so that each occurrence is due well before the next`,
    ]);
  });

  test("that was accepted before stays, unless it or the schedule changes", () => {
    const spec = { ...accepted(every("*/5 * * * *", 1000)), jitterMs: 600_000 };
    expect(accepted({ ...rawFromSpec(spec), priority: 5 }).jitterMs).toBe(600_000);
    expect(refused({ ...rawFromSpec(spec), jitterMs: 700_000 })).toHaveLength(1);
    const other = { kind: "cron", expression: "*/4 * * * *" } as const;
    expect(refused({ ...rawFromSpec(spec), schedule: other })).toHaveLength(1);
  });
});

describe("what goes with a recurring schedule only", () => {
  test("is refused, each by its name, with any other", () => {
    const raw = {
      misfire: "once",
      overlap: "wait",
      jitterMs: 5,
      startAt: NOW + 1,
      endAt: NOW + 2,
      maxOccurrences: 1,
    } as const;
    expect(refused({ handler: "echo", ...raw })).toEqual(
      ["misfire", "overlap", "jitter", "startAt", "endAt", "maxOccurrences"].map(
        (field) =>
          `${field}: is for daily, cron and interval schedules only, and the schedule is immediate; leave it out`,
      ),
    );
  });

  test("is jitter of up to a day", () => {
    expect(accepted({ ...NOON, jitterMs: 86_400_000 }).jitterMs).toBe(86_400_000);
    for (const jitterMs of [-1, 0, 86_400_001]) {
      expect(refused({ ...NOON, jitterMs })).toEqual([expect.stringMatching(/^jitter: is /)]);
    }
  });

  test("is not the deadline, which any job may have", () => {
    expect(accepted({ handler: "echo", deadlineMs: 5 }).deadlineMs).toBe(5);
    expect(refused({ handler: "echo", deadlineMs: -1 })).toHaveLength(1);
  });
});

describe("the life of a key", () => {
  const keyed = { handler: "echo", idempotencyKey: "k" };

  test("is that of the job, until the job has ended, or a time", () => {
    expect(accepted(keyed).keyLife).toBe("kept");
    expect(accepted({ ...keyed, keyLife: "unfinished" }).keyLife).toBe("unfinished");
    expect(accepted({ ...keyed, keyTtlMs: 5000 }).keyLife).toBe(5000);
  });

  test("is refused without a key, and when it is given twice", () => {
    const message = "says how long an idempotencyKey names its job, and there is none; leave it out";
    expect(refused({ handler: "echo", keyLife: "kept", keyTtlMs: 1 })).toEqual([
      `keyLife: ${message}`,
      `keyTtl: ${message}`,
    ]);
    expect(refused({ ...keyed, keyLife: "kept", keyTtlMs: 1 })).toEqual([
      "keyTtl: is given beside keyLife; one of the two is accepted",
    ]);
    expect(refused({ ...keyed, keyTtlMs: -1000 })).toEqual([
      "keyTtl: is -1s; more than 0s up to 3155760000s is accepted",
    ]);
  });
});
