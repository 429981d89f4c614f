import { expect, test } from "vitest";
import { CountedLines } from "../../../../src/core/log/counted-lines.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

function rig() {
  const logger = recordingLogger();
  const clock = new ManualClock();
  const counted = new CountedLines({ logger, clock });
  return {
    clock,
    counted,
    lines: logger.lines,
    write(jobId: number, error = "Error: no coffee"): void {
      counted.write({
        level: "warn",
        message: "it failed",
        jobId,
        kind: { error },
        fields: { claim: jobId },
      });
    },
  };
}

test("the first of a kind is written at once, the others in one line when the time is over", () => {
  const { clock, lines, write } = rig();
  for (const jobId of [7, 9, 8, 3]) write(jobId);
  write(4, "Error: no tea");
  expect(lines).toEqual([
    { level: "warn", message: "it failed", fields: { jobId: 7, claim: 7, error: "Error: no coffee" } },
    { level: "warn", message: "it failed", fields: { jobId: 4, claim: 4, error: "Error: no tea" } },
  ]);
  lines.length = 0;
  clock.move(9_999);
  expect(lines).toEqual([]);
  clock.move(1);
  expect(lines).toEqual([
    {
      level: "warn",
      message: "it failed: more of the same",
      fields: { count: 3, firstJobId: 9, lastJobId: 3, seconds: 10, error: "Error: no coffee" },
    },
  ]);
});

test("a kind that has been counted begins anew with a line of its own", () => {
  const { clock, lines, write } = rig();
  write(1);
  clock.move(10_000);
  write(2);
  expect(lines.map(({ fields }) => fields["jobId"])).toEqual([1, 2]);
  expect(clock.isAwaited).toBe(true);
});

test("what differs in level, message or kind is not the same", () => {
  const { counted, lines } = rig();
  const line = { level: "warn", message: "it failed", jobId: 1, kind: { error: "x" }, fields: {} } as const;
  counted.write(line);
  counted.write({ ...line, level: "error" });
  counted.write({ ...line, message: "it failed again" });
  counted.write({ ...line, kind: { error: "x", handler: "y" } });
  counted.write({ ...line, fields: { name: "other" } });
  expect(lines).toHaveLength(4);
});

test("beyond a hundred kinds at a time the others are counted together", () => {
  const { clock, lines, write } = rig();
  for (let jobId = 1; jobId <= 1000; jobId++) write(jobId, `Error: no order ${jobId}`);
  expect(lines).toHaveLength(100);
  lines.length = 0;
  clock.move(10_000);
  expect(lines).toEqual([
    {
      level: "warn",
      message: "it failed: others, of too many kinds to tell apart",
      fields: { count: 900, firstJobId: 101, lastJobId: 1000, seconds: 10 },
    },
  ]);
  write(1001, "Error: another");
  expect(lines).toHaveLength(2);
});

test("when it closes it says what it has counted, and waits for nothing any more", () => {
  const { clock, counted, lines, write } = rig();
  write(1);
  write(2);
  counted.close();
  expect(lines.map(({ fields }) => fields["count"])).toEqual([undefined, 1]);
  expect(clock.isAwaited).toBe(false);
  write(3);
  write(4);
  expect(lines).toHaveLength(4);
  expect(clock.isAwaited).toBe(false);
});
