import { expect, test } from "vitest";
import { Suspects } from "../../../src/node/suspects.ts";

test("a job that ended a thread runs alone at once, one that was only there after the second time", () => {
  const suspects = new Suspects();
  suspects.convict(1);
  suspects.suspect(2);
  expect([1, 2, 3].map((jobId) => suspects.runsAlone(jobId))).toEqual([true, false, false]);
  suspects.suspect(2);
  expect(suspects.runsAlone(2)).toBe(true);
});

test("a job that has ended without harm is cleared", () => {
  const suspects = new Suspects();
  suspects.suspect(2);
  suspects.clear(2);
  suspects.suspect(2);
  expect(suspects.runsAlone(2)).toBe(false);
});

test("the oldest are forgotten when there are too many", () => {
  const suspects = new Suspects();
  for (let jobId = 0; jobId <= 10_000; jobId++) suspects.convict(jobId);
  expect(suspects.runsAlone(0)).toBe(false);
  expect(suspects.runsAlone(1)).toBe(true);
});
