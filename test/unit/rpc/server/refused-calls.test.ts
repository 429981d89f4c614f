import { expect, test } from "vitest";
import type { AuditRecord } from "../../../../src/core/audit/audit-record.ts";
import { RefusedCalls } from "../../../../src/rpc/server/refused-calls.ts";
import { systemRandom } from "../../../../src/system-clock.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const VIEWER = { name: "viewer", address: "10.0.0.9", forwardedFor: "" };

function refusing() {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const written: AuditRecord[] = [];
  const store = {
    async writeAudit(records: readonly AuditRecord[]) {
      written.push(...records);
    },
  };
  const refused = new RefusedCalls({ store, clock, random: systemRandom, logger });
  return { clock, logger, written, refused };
}

test("a lone try is told within a second", () => {
  const { clock, logger, written, refused } = refusing();
  refused.note(VIEWER, "DeleteJob");
  clock.move(1_000);
  expect(written).toMatchObject([
    { caller: VIEWER, method: "DeleteJob", outcome: "permission_denied", count: 1 },
  ]);
  expect(logger.lines).toMatchObject([
    { level: "warn", fields: { caller: "viewer", method: "DeleteJob", count: 1 } },
  ]);
});

test("a million tries in an hour are about a record a minute, and each counts", () => {
  const { clock, written, refused } = refusing();
  for (let second = 0; second < 3_600; second++) {
    for (let call = 0; call < 278; call++) refused.note(VIEWER, "DeleteJob");
    clock.move(1_000);
  }
  void refused.tell();
  expect(written.length).toBeLessThan(70);
  expect(written.reduce((sum, { count }) => sum + count, 0)).toBe(3_600 * 278);
});

test("after a quiet time the next try is told within a second again", () => {
  const { clock, written, refused } = refusing();
  for (let second = 0; second < 100; second++) {
    refused.note(VIEWER, "DeleteJob");
    clock.move(1_000);
  }
  clock.move(200_000);
  const before = written.length;
  refused.note(VIEWER, "DeleteJob");
  clock.move(1_000);
  expect(written.length).toBe(before + 1);
});
