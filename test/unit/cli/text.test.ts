import { array, assert, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { enumText, instantText, resultText, scheduleText, tookText } from "../../../src/cli/job-text.ts";
import {
  numberWithin,
  parseDuration,
  parseInstant,
  parseLabel,
  wholeWithin,
} from "../../../src/cli/option-values.ts";
import { formatFields, formatTable } from "../../../src/cli/table.ts";
import { textWidth } from "../../../src/cli/text-width.ts";
import type { Job, JobResult } from "../../../src/client/job-json.ts";

const schedule = (fields: Partial<Job>) => scheduleText(fields as Job);
const result = (fields: Partial<JobResult>) => ({ reason: "", skippedCount: 0, ...fields }) as JobResult;

describe("tables", () => {
  test("align their columns, with no blanks at the ends of lines", () => {
    expect(
      formatTable(
        ["JOB", "NAME"],
        [
          ["1", "a long name"],
          ["1000", ""],
        ],
      ),
    ).toBe("JOB   NAME\n1     a long name\n1000");
  });

  test("align characters that are wide, or drawn over others, as a terminal shows them", () => {
    const names = ["日报", "한국어", "ｆｕｌｌ", "👩‍👩‍👧", "❤️", "🇩🇪", "e\u0301te\u0301", "ﾊﾝｶｸ", "Grüße"];
    expect(names.map(textWidth)).toEqual([4, 6, 8, 2, 2, 2, 3, 4, 5]);
    const rows = names.map((name) => [name, "|"]);
    const ends = formatTable(["NAME", "X"], rows)
      .split("\n")
      .slice(1)
      .map((line) => textWidth(line));
    expect(new Set(ends)).toEqual(new Set([8 + 2 + 1]));
  });

  test("never cut a character in half", () => {
    expect(formatTable(["A"], [[`x${"😀".repeat(100)}`]])).toMatch(/😀…$/u);
  });

  test("keep each row on one line, and nothing drives the terminal", () => {
    expect(formatTable(["A"], [["two\nlines \u001b[31mred"]])).toBe("A\ntwo lines ?[31mred");
    // It would turn what stands behind it around.
    expect(formatTable(["A"], [["a\u202eb\u2066c"]])).toBe("A\na?b?c");
  });

  test("cut a cell that would fill the screen, and a value that would fill many", () => {
    const [, row = ""] = formatTable(["A", "B"], [["x".repeat(1_000_000), "end"]]).split("\n");
    expect(row).toMatch(/^x{50,200}…  end$/);
    expect(formatFields([["payload", "x".repeat(1_000_000)]])).toMatch(/^payload {2}x{500,5000}…$/);
  });

  test("can be longer than a call can have arguments", () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [String(index)]);
    expect(formatTable(["A"], rows).split("\n")).toHaveLength(rows.length + 1);
  });

  test("leave out fields without a value", () => {
    expect(
      formatFields([
        ["job", "1"],
        ["reason", ""],
        ["status", "WAITING"],
      ]),
    ).toBe("job     1\nstatus  WAITING");
  });

  test("have as many lines as rows, whatever is in them", () => {
    assert(
      property(array(array(string(), { minLength: 2, maxLength: 2 })), (rows) => {
        expect(formatTable(["A", "B"], rows).split("\n")).toHaveLength(rows.length + 1);
      }),
    );
  });
});

describe("texts", () => {
  test("show statuses without prefixes and instants to the second", () => {
    expect(enumText("JOB_STATUS_WAITING")).toBe("WAITING");
    expect(enumText("OUTCOME_TIMED_OUT")).toBe("TIMED_OUT");
    expect(instantText("2026-12-01T08:00:00.123Z")).toBe("2026-12-01T08:00:00Z");
    expect(instantText(undefined)).toBe("");
  });

  test("say when a job runs", () => {
    expect(schedule({ immediate: {} })).toBe("immediate");
    expect(schedule({ timed: { runAt: "2030-01-01T08:00:00Z" } })).toBe("at 2030-01-01T08:00:00Z");
    const daily = { at: "08:30", timeZone: "Asia/Shanghai", gap: "GAP_SKIP", fold: "FOLD_FIRST" } as const;
    expect(schedule({ daily })).toBe("daily 08:30 Asia/Shanghai");
    expect(schedule({ interval: { every: "90s", anchor: "2030-01-01T00:00:00Z" } })).toBe(
      "every 90s from 2030-01-01T00:00:00Z",
    );
    expect(schedule({ cron: { expression: "*/5 * * * *", timeZone: "" } })).toBe("cron */5 * * * * UTC");
  });

  test("say what came of a claim", () => {
    expect(resultText(result({ output: { a: 1 } }))).toBe('{"a":1}');
    expect(resultText(result({ error: { name: "TypeError", message: "no", stack: "" } }))).toBe(
      "TypeError: no",
    );
    expect(resultText(result({ reason: "missed", skippedCount: 3 }))).toBe("missed (3 occurrences)");
    expect(tookText(result({ startTime: "2026-12-01T08:00:00Z", endTime: "2026-12-01T08:00:01.500Z" }))).toBe(
      "1.5s",
    );
  });
});

describe("option values", () => {
  test.each([
    ["10s", "10s"],
    ["500ms", "0.5s"],
    ["1h30m", "5400s"],
    ["1.5h", "5400s"],
    ["2d", "172800s"],
  ])("takes %s as the duration %s", (text, duration) => {
    expect(parseDuration(text)).toBe(duration);
  });

  test.each(["", "10", "s", "-1s", "10 s", "1x"])("refuses %j as a duration", (text) => {
    expect(() => parseDuration(text)).toThrow(/is no duration/);
  });

  test("takes instants with an offset only, since a local time would depend on the machine", () => {
    expect(parseInstant("2030-01-01T08:00:00+08:00")).toBe("2030-01-01T00:00:00Z");
    expect(() => parseInstant("2030-01-01T08:00:00")).toThrow(/is no instant, which has no time zone/);
    expect(() => parseInstant("2027-02-30T08:00:00Z")).toThrow(/a day that does not exist: 2027-02 has 28/);
    expect(() => parseInstant("2016-12-31T23:59:60Z")).toThrow(/a leap second is not/);
    expect(() => parseInstant("2030-01-01 08:00Z[UTC]")).toThrow(/is no instant/);
    expect(() => parseInstant("tomorrow")).toThrow(
      '"tomorrow" is no instant; write for example 2030-01-01T08:00:00Z or 2030-01-01T08:00:00+08:00.',
    );
  });

  test("collects labels, and values may hold an equals sign", () => {
    expect(parseLabel("zone=a=b", { gpu: "true" })).toEqual({ gpu: "true", zone: "a=b" });
    expect(() => parseLabel("gpu")).toThrow(/name=value/);
  });

  test("takes whole numbers, negative ones too", () => {
    expect(wholeWithin({ least: -100, most: 100 })("-5")).toBe(-5);
    const attempts = wholeWithin({ least: 1, most: 2_147_483_647 });
    expect(attempts("2147483647")).toBe(2_147_483_647);
    for (const text of ["99999999999", "0", "-1", "1.5", "many", "1e3", ""]) {
      expect(() => attempts(text)).toThrow("A whole number from 1 to 2147483647 is accepted.");
    }
    const multiplier = numberWithin({ least: 1, most: 100 });
    expect([multiplier("1.5"), multiplier("100")]).toEqual([1.5, 100]);
    for (const text of ["1e400", "0.5", "101", "x"]) {
      expect(() => multiplier(text)).toThrow("A number from 1 to 100 is accepted.");
    }
  });
});
