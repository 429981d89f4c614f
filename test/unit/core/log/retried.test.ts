import { expect, test } from "vitest";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { Retried } from "../../../../src/core/log/retried.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const AGAIN = "could not end claims; trying again";
const REFUSAL = new ElasticJobError("failed_precondition", "MySQL refused: Access denied");

function retriedThere() {
  const logger = recordingLogger();
  const clock = new ManualClock();
  return { logger, clock, retried: new Retried({ logger, clock }, AGAIN) };
}

test("what fails five times a second for ten minutes is a line a minute, with how often, and one when it is over", () => {
  const { logger, clock, retried } = retriedThere();
  for (let tries = 0; tries < 3_000; tries++) {
    retried.failed(REFUSAL, { jobs: 3 });
    clock.move(200);
  }
  retried.succeeded();
  retried.succeeded();
  const counted = { level: "warn", message: AGAIN, fields: { error: REFUSAL, jobs: 3, count: 300 } };
  expect(logger.lines).toEqual([
    { level: "warn", message: AGAIN, fields: { error: REFUSAL, jobs: 3 } },
    ...Array.from({ length: 9 }, () => counted),
    { level: "info", message: `over: ${AGAIN}`, fields: { seconds: 600, tries: 3_000 } },
  ]);
});

test("another cause is another line, whatever its numbers are, up to ten causes", () => {
  const { logger, retried } = retriedThere();
  for (const port of [50_001, 50_002]) retried.failed(new Error(`reset by 127.0.0.1:${port}`));
  expect(logger.lines).toHaveLength(1);
  for (const letter of "abcdefghijklmnopqrstuvwxyz") retried.failed(new Error(letter));
  expect(logger.lines).toHaveLength(10);
});

test("what fails and succeeds by turns makes no more lines", () => {
  const { logger, clock, retried } = retriedThere();
  for (let turns = 0; turns < 3_000; turns++) {
    retried.failed(REFUSAL);
    retried.succeeded();
    clock.move(20);
  }
  expect(logger.lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  retried.failed(REFUSAL);
  expect(logger.lines.at(-1)).toMatchObject({ level: "warn", fields: { count: 3_000 } });
  retried.succeeded();
  clock.move(10_000);
  retried.failed(REFUSAL);
  expect(logger.lines.at(-1)).toEqual({ level: "warn", message: AGAIN, fields: { error: REFUSAL } });
});

test("what never failed is never over", () => {
  const { logger, retried } = retriedThere();
  retried.succeeded();
  expect(logger.lines).toEqual([]);
});
