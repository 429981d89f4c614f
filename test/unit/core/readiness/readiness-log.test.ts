import { expect, test } from "vitest";
import { ReadinessLog } from "../../../../src/core/readiness/readiness-log.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

test("that adds are not answered is told once, with why, and that they are again; not of a start, and not of a moment", () => {
  const logger = recordingLogger();
  let why: string | null = "no master: this node has only just started";
  const log = new ReadinessLog(() => why, logger);
  const told = () => logger.lines.map(({ level, message }) => `${level} ${message}`);
  for (const now of [0, 5_000]) log.tick(now);
  why = null;
  log.tick(6_000);
  why = "MySQL has not answered for 2.0 s";
  log.tick(7_000);
  log.tick(7_999);
  expect(told()).toEqual([]);
  why = "MySQL has not answered for 3.0 s";
  for (const now of [8_000, 9_000, 15_000]) log.tick(now);
  why = null;
  for (const now of [15_500, 16_000]) log.tick(now);
  expect(told()).toEqual([
    "warn not ready: MySQL has not answered for 3.0 s",
    "info ready again, after 8.5 s",
  ]);
  why = "no master";
  log.tick(17_000);
  why = null;
  log.tick(17_500);
  expect(told()).toHaveLength(2);
});
