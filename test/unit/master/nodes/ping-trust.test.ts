import { expect, test } from "vitest";
import { PingTrust } from "../../../../src/master/nodes/ping-trust.ts";
import type { JobStore, StoredMastership } from "../../../../src/store/job-store.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";

/** A master of epoch 1 that has lost touch with the lock. */
function start(read: () => Promise<StoredMastership>, trusted = () => false) {
  const clock = new ManualClock();
  const seen = { reads: 0, deposed: 0 };
  const readMastership = () => {
    seen.reads++;
    return read();
  };
  const store: Pick<JobStore, "readMastership"> = { readMastership };
  const deposed = () => void seen.deposed++;
  const trust = new PingTrust(masterContext({ clock, store: store as JobStore, trusted, deposed }));
  return { trust, clock, seen };
}

const epoch = (number: number) => async () => ({ epoch: number, incarnation: "a master" });

test("with trust, pings are answered, and the database is not asked", async () => {
  const { trust, seen } = start(epoch(2), () => true);
  expect(await trust.mayAnswer()).toBe(true);
  expect(seen).toEqual({ reads: 0, deposed: 0 });
});

test("without trust, a look at the database's epoch stands in for it, for half a second", async () => {
  const { trust, clock, seen } = start(epoch(1));
  expect(await trust.mayAnswer()).toBe(true);
  clock.move(500);
  expect(await trust.mayAnswer()).toBe(true);
  expect(seen.reads).toBe(1);
  clock.move(1);
  expect(await trust.mayAnswer()).toBe(true);
  expect(seen.reads).toBe(2);
});

test("when another has been elected, no ping is answered, and the mastership is over", async () => {
  const { trust, seen } = start(epoch(2));
  expect(await trust.mayAnswer()).toBe(false);
  expect(seen.deposed).toBe(1);
});

test("when the database does not answer, no ping is, and nothing is over", async () => {
  const { trust, seen } = start(() => Promise.reject(new Error("no answer")));
  expect(await trust.mayAnswer()).toBe(false);
  expect(seen.deposed).toBe(0);
});

test("an answer counts from when it was asked for: one that took longer than it holds is none", async () => {
  const { trust, clock } = start(async () => {
    clock.move(501);
    return { epoch: 1, incarnation: "a master" };
  });
  expect(await trust.mayAnswer()).toBe(false);
});
