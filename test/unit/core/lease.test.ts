import { expect, test } from "vitest";
import { goneAt, LEASE_MARGIN_MS, leaseUntil, takeoverAt, trustUntil } from "../../../src/core/lease.ts";

test.each([
  { lockTtlMs: 3000, trustMs: 2800 },
  { lockTtlMs: 800, trustMs: 600 },
  { lockTtlMs: 400, trustMs: 300 },
])("trust in a lock of $lockTtlMs ms ends $trustMs ms after its renewal began", ({ lockTtlMs, trustMs }) => {
  expect(trustUntil(10_000, lockTtlMs)).toBe(10_000 + trustMs);
});

test("a node's lease has lapsed before its master takes it for gone, and that within its lease and a second", () => {
  const [pingSentAt, heardAt, leaseMs] = [10_000, 10_000, 6000];
  expect(leaseUntil(pingSentAt, leaseMs)).toBe(16_000);
  expect(goneAt(heardAt, leaseMs)).toBe(16_000 + LEASE_MARGIN_MS);
  expect(LEASE_MARGIN_MS).toBe(800);
});

test("a new master takes over when a ping that the old one answered at the end of its trust is a lease ago", () => {
  const [epochWrittenAt, leaseMs, lockTtlMs] = [10_000, 6000, 3000];
  const lastTrust = trustUntil(epochWrittenAt, lockTtlMs);
  const takeover = takeoverAt(epochWrittenAt, leaseMs, lockTtlMs);
  expect(takeover).toBe(19_800);
  expect(takeover).toBeGreaterThan(goneAt(lastTrust, leaseMs));
});
