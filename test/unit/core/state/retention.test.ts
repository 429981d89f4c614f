import { describe, expect, test } from "vitest";
import { OUTCOME, STORED_STATUS } from "../../../../src/core/job.ts";
import {
  DEFAULT_RETENTION,
  isExpired,
  jobAges,
  KEEP_ALL,
  parseRetention,
  type ResultAge,
} from "../../../../src/core/state/retention.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = 1_760_000_000_000;
const { retention: DEFAULTS } = parseRetention(DEFAULT_RETENTION);

describe("the text of a retention", () => {
  test("without parts is the default", () => {
    expect(parseRetention("")).toEqual({ retention: DEFAULTS, problems: [] });
    expect(DEFAULTS).toEqual({
      ageMs: { succeeded: 7 * DAY_MS, failed: 30 * DAY_MS, cancelled: 7 * DAY_MS, skipped: 7 * DAY_MS },
      resultsEach: KEEP_ALL.resultsEach,
      resultsPerJob: 1000,
    });
  });

  test("changes the parts that it names", () => {
    const { retention, problems } = parseRetention(" succeeded = 90m, failed=3600s ,skipped=off,results=1,");
    expect(problems).toEqual([]);
    expect(retention).toEqual({
      ageMs: { succeeded: 90 * 60_000, failed: HOUR_MS, cancelled: 7 * DAY_MS, skipped: null },
      resultsEach: KEEP_ALL.resultsEach,
      resultsPerJob: 1,
    });
  });

  test("takes a count beside an age, for each outcome", () => {
    const { retention, problems } = parseRetention("failed=30d/500, skipped = off / 10, succeeded=7d/off");
    expect(problems).toEqual([]);
    expect(retention.ageMs).toMatchObject({ failed: 30 * DAY_MS, skipped: null, succeeded: 7 * DAY_MS });
    expect(retention.resultsEach).toEqual({ succeeded: null, failed: 500, cancelled: null, skipped: 10 });
  });

  test("off keeps everything", () => {
    expect(parseRetention("off")).toEqual({ retention: KEEP_ALL, problems: [] });
    expect(jobAges(KEEP_ALL)).toEqual([]);
  });

  test("with mistakes has each of them named", () => {
    const text = "succeeded=59m,failed=1w,lost=7d,skipped,results=0,cancelled=2d,cancelled=3d,results=";
    const { problems } = parseRetention(text);
    expect(problems.join("\n")).toMatch(
      /"skipped" is not name=value[\s\S]*cancelled is given twice[\s\S]*results is given twice[\s\S]*succeeded=59m: .*from 1h[\s\S]*failed=1w: [\s\S]*lost: there is no such part; use succeeded, failed, cancelled, skipped, results[\s\S]*results=0: /,
    );
    expect(problems).toHaveLength(7);
  });

  test.each([
    "succeeded=1h30m",
    "succeeded=-1d",
    "succeeded=1.5d",
    "succeeded=36501d",
    "results=1e3",
    "failed=1d/0",
    "failed=1d/100001",
    "failed=1d/5/5",
  ])("%s is refused", (text) => {
    expect(parseRetention(text).problems).toHaveLength(1);
  });
});

test("statuses that are kept equally long are looked for together", () => {
  const { SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;
  expect(jobAges(DEFAULTS)).toEqual([
    { ageMs: 7 * DAY_MS, statuses: [SUCCEEDED, CANCELLED] },
    { ageMs: 30 * DAY_MS, statuses: [FAILED] },
  ]);
});

describe("a result row", () => {
  const row = (changes: Partial<ResultAge>): ResultAge => ({
    jobId: 1,
    claim: 5,
    outcome: OUTCOME.SUCCEEDED,
    endTime: NOW - 8 * DAY_MS,
    newestEnded: 9,
    ...changes,
  });
  const expires = (changes: Partial<ResultAge>) => isExpired(row(changes), NOW, DEFAULTS);

  test("goes when it is older than what ended so is kept", () => {
    expect(expires({})).toBe(true);
    expect(expires({ endTime: NOW - 7 * DAY_MS })).toBe(false);
    expect(expires({ outcome: OUTCOME.SKIPPED })).toBe(true);
    for (const outcome of [OUTCOME.FAILED, OUTCOME.TIMED_OUT, OUTCOME.LOST]) {
      expect(expires({ outcome })).toBe(false);
      expect(expires({ outcome, endTime: NOW - 31 * DAY_MS })).toBe(true);
    }
  });

  test("stays, however old, while it is that of its job's newest claim that has ended", () => {
    expect(expires({ newestEnded: 5, endTime: 0 })).toBe(false);
    expect(expires({ newestEnded: 4, endTime: 0 })).toBe(false);
    expect(expires({ newestEnded: null, endTime: 0 })).toBe(true);
  });

  test("goes when its job has enough newer ones, but not within an hour", () => {
    expect(expires({ newestEnded: 1005, endTime: NOW - 2 * HOUR_MS })).toBe(true);
    expect(expires({ newestEnded: 1004, endTime: NOW - 2 * HOUR_MS })).toBe(false);
    expect(expires({ newestEnded: 1005, endTime: NOW - HOUR_MS })).toBe(false);
    expect(expires({ newestEnded: null, endTime: NOW - 2 * HOUR_MS })).toBe(false);
  });

  test("stays for ever when that is what was asked for", () => {
    expect(isExpired(row({ endTime: 0, newestEnded: 1_000_000 }), NOW, KEEP_ALL)).toBe(false);
  });
});
