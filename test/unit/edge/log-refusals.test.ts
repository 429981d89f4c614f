import { expect, test } from "vitest";
import { logRefusals } from "../../../src/edge/log-refusals.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";
import { until } from "../../fixtures/until.ts";

test("what callers' roles do not allow is a line for each caller and method, with how often, and no token", async () => {
  const logger = recordingLogger();
  const { forbidden } = logRefusals(logger);
  const viewer = { name: "viewer", address: "203.0.113.9", forwardedFor: "" };
  for (let tries = 0; tries < 1_000; tries++) forbidden(viewer, "DeleteJob");
  forbidden(viewer, "DrainNode");
  await until("it is told", () => logger.lines.length > 0);
  expect(logger.lines).toMatchObject([
    {
      level: "warn",
      fields: { caller: "viewer", address: "203.0.113.9", method: "DeleteJob", count: 1_000 },
    },
    { level: "warn", fields: { caller: "viewer", method: "DrainNode", count: 1 } },
  ]);
});
