import { expect, test } from "vitest";
import type { GatheredCall } from "../../../../src/core/audit/gathered-calls.ts";
import { RefusedCalls } from "../../../../src/core/audit/refused-calls.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";

const VIEWER = { name: "viewer", address: "10.0.0.9", forwardedFor: "" };

function refusing() {
  const clock = new ManualClock();
  const told: GatheredCall[] = [];
  const refused = new RefusedCalls(clock, (calls) => told.push(...calls));
  return { clock, told, refused };
}

test("a lone try is told within a second", () => {
  const { clock, told, refused } = refusing();
  refused.note(VIEWER, "DeleteJob");
  clock.move(1_000);
  expect(told).toMatchObject([
    { caller: VIEWER, method: "DeleteJob", outcome: "permission_denied", count: 1 },
  ]);
  clock.move(600_000);
  refused.tell();
  expect(told).toHaveLength(1);
});

test("a million tries in an hour are told about once a minute, and each counts", () => {
  const { clock, told, refused } = refusing();
  for (let second = 0; second < 3_600; second++) {
    for (let call = 0; call < 278; call++) refused.note(VIEWER, "DeleteJob");
    clock.move(1_000);
  }
  refused.tell();
  expect(told.length).toBeLessThan(70);
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(3_600 * 278);
});

test("after a quiet time the next try is told within a second again", () => {
  const { clock, told, refused } = refusing();
  for (let second = 0; second < 100; second++) {
    refused.note(VIEWER, "DeleteJob");
    clock.move(1_000);
  }
  clock.move(200_000);
  const before = told.length;
  refused.note(VIEWER, "DeleteJob");
  clock.move(1_000);
  expect(told.length).toBe(before + 1);
});
