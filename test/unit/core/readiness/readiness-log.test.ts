import { expect, test } from "vitest";
import { ReadinessLog } from "../../../../src/core/readiness/readiness-log.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

test("that adds are not answered is told once, with why, and that they are again; not of a moment", () => {
  const logger = recordingLogger();
  let why: string | null = "no master: this node has only just started";
  const log = new ReadinessLog(() => why, logger);
  const told = () => logger.lines.map(({ level, message }) => `${level} ${message}`);
  for (const now of [5_000, 5_500]) log.tick(now);
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

test("one that has never been ready says so as well", () => {
  const logger = recordingLogger();
  let why: string | null = "no master: no connection to 10.0.0.3:7070: its certificate is out of date";
  const log = new ReadinessLog(() => why, logger);
  for (const now of [0, 500, 1_000, 1_500]) log.tick(now);
  why = null;
  log.tick(2_000);
  expect(logger.lines.map(({ message }) => message)).toEqual([
    "not ready: no master: no connection to 10.0.0.3:7070: its certificate is out of date",
    "ready again, after 2.0 s",
  ]);
});
