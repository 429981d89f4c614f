/** What a thread hands on of what its executions say: bounded, cut, and never a reason for a handler to fail. */
import { describe, expect, test, vi } from "vitest";
import type { LogLine } from "../../../../src/core/log/log-line.ts";
import type { JobLog } from "../../../../src/jobs/job-log.ts";
import type { SaidLine } from "../../../../src/node/executor-messages.ts";
import { ThreadLogs } from "../../../../src/node/log/thread-logs.ts";
import { createScrubber, NOTHING_KNOWN, type Scrubber } from "../../../../src/node/scrubber.ts";

function rig(scrubber: Scrubber = NOTHING_KNOWN) {
  const messages: (readonly SaidLine[])[] = [];
  const logs = new ThreadLogs(
    (lines) => messages.push(lines),
    () => scrubber,
  );
  const lines = (key = 1): LogLine[] =>
    messages.flatMap((sent) => sent.filter(([of]) => of === key).map(([, line]) => line));
  /** All that the handler's log comes to. */
  function said(handler: (log: JobLog) => void): LogLine[] {
    handler(logs.of(1));
    logs.ended(1);
    return lines();
  }
  return { logs, messages, lines, said };
}

const fieldsOf = (lines: readonly LogLine[]) => lines.map(({ fields }) => JSON.parse(fields ?? "null"));

describe("a line", () => {
  test("has its level, its text and its fields; without a level it is info", () => {
    const lines = rig().said((log) => {
      log("plain");
      log.debug("one", { n: 1 });
      log.info("two", { big: 2n ** 64n, when: new Date(0) });
      log.warn("three", {});
      log.error("four", { error: new TypeError("no") });
      log.error("five", new RangeError("far"));
    });
    expect(lines.map(({ level, kind, text }) => `${level} ${kind} ${text}`)).toEqual([
      "info said plain",
      "debug said one",
      "info said two",
      "warn said three",
      "error said four",
      "error said five",
    ]);
    const error = { name: "TypeError", message: "no", stack: expect.stringContaining("TypeError: no") };
    expect(fieldsOf(lines)).toEqual([
      null,
      { n: 1 },
      { big: "18446744073709551616", when: "1970-01-01T00:00:00.000Z" },
      {},
      { error },
      { error: expect.objectContaining({ name: "RangeError", message: "far" }) },
    ]);
  });

  test("of 10 MB is cut, and says so", () => {
    const [line] = rig().said((log) => log("x".repeat(10_000_000)));
    expect(line?.text).toBe(`${"x".repeat(8_192)}… (cut)`);
  });

  test("of anything else than text shows what it is", () => {
    const odd = {
      toString: () => "no",
      [Symbol.for("nodejs.util.inspect.custom")]: () => {
        throw new Error("no");
      },
    };
    const texts: unknown[] = [
      Buffer.from([0, 255, 10]),
      Buffer.alloc(10_000_000),
      undefined,
      42,
      { a: 1 },
      "\ud800",
      odd,
    ];
    const lines = rig().said((log) => {
      for (const text of texts) (log as (text: unknown) => void)(text);
    });
    expect(lines.map(({ text }) => text)).toEqual([
      "<Buffer 00 ff 0a>",
      expect.stringMatching(/^<Buffer 00 00 .*9999950 more bytes>$/),
      "undefined",
      "42",
      "{ a: 1 }",
      "\ufffd",
      "(a value that cannot be shown)",
    ]);
  });

  test("keeps fields that JSON cannot carry as text", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    let deep: unknown = 1;
    for (let level = 0; level < 40; level++) deep = { deep };
    const thrower = {
      get bad() {
        throw new Error("no");
      },
    };
    const given: unknown[] = [
      circle,
      { deep },
      { a: "x".repeat(10_000_000) },
      { f: () => 1 },
      [1],
      "text",
      thrower,
    ];
    const lines = rig().said((log) => {
      for (const fields of given) (log as (text: string, fields: unknown) => void)("line", fields);
    });
    const fields = fieldsOf(lines);
    expect(fields.slice(0, 3)).toEqual([
      { shown: "<ref *1> { self: [Circular *1] }" },
      { shown: expect.stringContaining("[Object]") },
      { shown: expect.stringMatching(/^\{ a: 'xxx.*… \(cut\)$/) },
    ]);
    expect(fields.slice(3, 6)).toEqual([{}, { value: [1] }, { value: "text" }]);
    expect(fields[6]).toEqual({ shown: expect.any(String) });
    for (const line of lines) expect(line.fields?.length).toBeLessThan(8_300);
  });

  test("has no secrets, nor parts of one where it is cut", () => {
    const secret = "sk_live_0123456789";
    const [text, cut] = rig(createScrubber([["stripe", secret]])).said((log) => {
      log(`key ${secret}`, { key: secret });
      log(`${"x".repeat(8_185)}${secret}`);
    });
    expect(text).toMatchObject({ text: "key [secret stripe]", fields: '{"key":"[secret stripe]"}' });
    expect(cut?.text).not.toContain("sk_l");
  });
});

describe("the log of an attempt", () => {
  test("has 1,000 lines of 100,000, and a mark in the place of the others", () => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    const lines = rig().said((log) => {
      for (let line = 1; line <= 100_000; line++) log(`line ${line}`);
    });
    vi.restoreAllMocks();
    expect(lines).toHaveLength(1_001);
    expect(lines[999]).toMatchObject({ kind: "said", text: "line 1000" });
    expect(lines[1_000]).toMatchObject({
      kind: "mark",
      level: "warn",
      text: "the log of this attempt was cut here: 1000 lines or 256 KiB are kept",
    });
  });

  test("has 256 KiB", () => {
    const lines = rig().said((log) => {
      for (let line = 0; line < 100; line++) log("é".repeat(4_096));
    });
    expect(lines).toHaveLength(33);
    expect(lines[32]?.kind).toBe("mark");
  });

  test("says how many lines are missing where all attempts of its thread say too much", () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(0);
    const { logs, lines } = rig();
    for (let key = 2; key <= 6; key++) for (let line = 0; line < 1_000; line++) logs.of(key)("much");
    for (let line = 0; line < 7; line++) logs.of(1)("missing");
    for (let line = 0; line < 3; line++) logs.of(2)("missing");
    now.mockReturnValue(1_000);
    logs.of(1)("there");
    expect(logs.ended(1)).toBe(true);
    logs.ended(2);
    vi.restoreAllMocks();
    expect(lines(1)).toMatchObject([
      { kind: "mark", text: "7 lines are missing here: they came faster than they can be kept" },
      { text: "there" },
    ]);
    expect(lines(2).at(-1)).toMatchObject({ kind: "mark", text: expect.stringMatching(/^3 lines/) });
  });

  test("is over when the attempt is", () => {
    const { logs, lines } = rig();
    const log = logs.of(1);
    log("in time");
    expect(logs.ended(1)).toBe(true);
    log("too late");
    logs.flush();
    expect(lines()).toHaveLength(1);
    expect(logs.ended(1)).toBe(false);
  });

  test("that was asked for, and had nothing to keep, is none", () => {
    const { logs, messages } = rig();
    logs.of(1);
    expect([logs.ended(1), messages.length]).toEqual([false, 0]);
  });
});

test("the first line goes at once, and those that follow it closely go together", async () => {
  const { logs, messages } = rig();
  const log = logs.of(1);
  vi.spyOn(performance, "now").mockReturnValue(5);
  log("first");
  expect(messages).toHaveLength(1);
  for (let line = 0; line < 100; line++) log("more");
  expect(messages).toHaveLength(1);
  vi.restoreAllMocks();
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(messages.map((lines) => lines.length)).toEqual([1, 100]);
});

test("what was printed is a line, without its line break", () => {
  const { logs, lines } = rig();
  logs.printed(1, "error", "two\nlines\n");
  logs.flush();
  expect(lines()).toMatchObject([{ kind: "printed", level: "error", text: "two\nlines" }]);
});
