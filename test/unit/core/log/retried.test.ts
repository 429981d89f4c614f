import { expect, test } from "vitest";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { Retried } from "../../../../src/core/log/retried.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const AGAIN = "could not end claims; trying again";

test("what fails five times a second for a minute is a few lines, which say how often, without a stack", () => {
  const logger = recordingLogger();
  const clock = new ManualClock();
  const retried = new Retried({ logger, clock });
  const refusal = new ElasticJobError(
    "failed_precondition",
    "MYSQL_URL: the server refused it: Access denied",
  );
  for (let tries = 0; tries < 300; tries++) {
    retried.failed(refusal, AGAIN);
    clock.move(200);
  }
  expect(logger.lines.length).toBeLessThanOrEqual(12);
  expect(logger.lines[0]).toMatchObject({
    level: "warn",
    message: AGAIN,
    fields: { error: refusal.message },
  });
  expect(logger.lines[1]).toMatchObject({ fields: { error: refusal.message, count: 49, seconds: 10 } });
  expect(JSON.stringify(logger.lines)).not.toMatch(/retried\.test|jobId/i);
});

test("another cause is another line, and one that nobody knows has its stack", () => {
  const logger = recordingLogger();
  const retried = new Retried({ logger, clock: new ManualClock() });
  retried.failed(new ElasticJobError("unavailable", "MySQL is out of reach"), AGAIN);
  retried.failed(new TypeError("of our own"), AGAIN);
  retried.failed(new TypeError("of our own"), AGAIN);
  expect(logger.lines).toMatchObject([
    { fields: { error: "MySQL is out of reach" } },
    { fields: { error: "of our own", stack: expect.stringContaining("retried.test") } },
  ]);
});
