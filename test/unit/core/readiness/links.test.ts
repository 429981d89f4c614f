import { expect, test } from "vitest";
import { Links } from "../../../../src/core/readiness/links.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const ONE = "10.0.0.3:7070";

test("each cause is told once by address, and that it is over", () => {
  const logger = recordingLogger();
  const links = new Links(logger);
  links.made(ONE);
  for (const why of ["out of date", "out of date", "another name", "another name"]) links.failed(ONE, why);
  expect([links.problemAt(ONE), links.problemAt("10.0.0.4:7070")]).toEqual(["another name", null]);
  links.made(ONE);
  links.made(ONE);
  expect(links.problemAt(ONE)).toBeNull();
  expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    "error out of date",
    "error another name",
    "info connections to that node are made again",
  ]);
});

test("keeps a bounded number of addresses", () => {
  const links = new Links(recordingLogger());
  for (let node = 0; node < 1_000; node++) links.failed(`10.0.0.1:${node}`, "why");
  const known = Array.from({ length: 1_000 }, (_, node) => links.problemAt(`10.0.0.1:${node}`));
  expect(known.filter((why) => why !== null).length).toBeLessThanOrEqual(100);
  expect(links.problemAt("10.0.0.1:999")).toBe("why");
});
