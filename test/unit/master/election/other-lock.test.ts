import { expect, test } from "vitest";
import type { Network } from "../../../../src/coordination/network.ts";
import { OtherLock } from "../../../../src/master/election/other-lock.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { MemoryLock } from "../../../fixtures/memory-lock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

const MASTER = { epoch: 7, incarnation: "the master" };

function start() {
  const clock = new ManualClock();
  const lock = new MemoryLock();
  const logger = recordingLogger();
  const state = { lockKey: "cluster@two", answer: { ...MASTER, nodeId: "a", sharesDatabase: true } };
  const store = {
    readCluster: async () => ({ identity: "c", address: "127.0.0.1:1", lockKey: state.lockKey }),
    registerNode: async () => 1,
  } as unknown as JobStore;
  const network = { identify: async () => state.answer } as unknown as Network;
  const other = new OtherLock({ store, lock, network, clock, logger, incarnation: "own", nodeId: "b" });
  return { clock, lock, logger, state, other };
}

test("a living master that another lock has elected is left alone, and told once it stays", async () => {
  const { clock, logger, other } = start();
  expect(await other.isUsed(MASTER)).toBe(true);
  clock.move(4_999);
  expect(await other.isUsed(MASTER)).toBe(true);
  expect(logger.errors).toEqual([]);
  clock.move(1);
  expect([await other.isUsed(MASTER), await other.isUsed(MASTER)]).toEqual([true, true]);
  expect(logger.errors).toHaveLength(1);
});

test("one whose lock's server has lost what it knew is left alone until it says by which it is elected now, and nothing is told", async () => {
  const { clock, lock, logger, state, other } = start();
  for (let round = 0; round < 3; round++) {
    expect(await other.isUsed(MASTER)).toBe(true);
    clock.move(2_000);
    state.lockKey = lock.ownName;
    expect(await other.isUsed(MASTER)).toBe(false);
    state.lockKey = "cluster@two";
    clock.move(4_000);
  }
  expect(logger.errors).toEqual([]);
});
