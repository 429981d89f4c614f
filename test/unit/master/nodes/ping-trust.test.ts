import { expect, test } from "vitest";
import type { MasterContext } from "../../../../src/master/context.ts";
import { PingTrust } from "../../../../src/master/nodes/ping-trust.ts";
import { Gate, ProcessClock, VirtualTime } from "../../../simulation/virtual-clock.ts";

const EPOCH = 7;

function rig() {
  const time = new VirtualTime();
  const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 0 });
  const state = { isTrusted: false, epoch: EPOCH, isAway: false, latencyMs: 0 };
  let reads = 0;
  let depositions = 0;
  const context = {
    clock,
    epoch: EPOCH,
    store: {
      async readMastership() {
        reads++;
        const { epoch, isAway } = state;
        await time.advance(state.latencyMs);
        if (isAway) throw new Error("no answer");
        return { epoch, incarnation: "x" };
      },
    },
    trusted: () => state.isTrusted,
    deposed: () => depositions++,
  } as unknown as MasterContext;
  return { time, state, trust: new PingTrust(context), counts: () => ({ reads, depositions }) };
}

test("a master that is trusted answers pings, and asks nobody", async () => {
  const { state, trust, counts } = rig();
  state.isTrusted = true;
  state.epoch = EPOCH + 1;
  expect(await trust.mayAnswer()).toBe(true);
  expect(counts()).toEqual({ reads: 0, depositions: 0 });
});

test("without trust it answers as long as the database says that its epoch is the newest, which it reads twice a second", async () => {
  const { time, state, trust, counts } = rig();
  expect(await trust.mayAnswer()).toBe(true);
  await time.advance(500);
  state.epoch = EPOCH + 1;
  expect(await trust.mayAnswer()).toBe(true);
  expect(counts()).toEqual({ reads: 1, depositions: 0 });
  await time.advance(1);
  expect(await trust.mayAnswer()).toBe(false);
  expect(counts()).toEqual({ reads: 2, depositions: 1 });
});

test("without trust and database it answers none", async () => {
  const { time, state, trust, counts } = rig();
  expect(await trust.mayAnswer()).toBe(true);
  await time.advance(501);
  state.isAway = true;
  expect(await trust.mayAnswer()).toBe(false);
  expect(counts().depositions).toBe(0);
});

test("what the database said counts from when it was asked", async () => {
  const { time, state, trust, counts } = rig();
  state.latencyMs = 500;
  expect(await trust.mayAnswer()).toBe(true);
  state.latencyMs = 501;
  await time.advance(1);
  expect(await trust.mayAnswer()).toBe(false);
  expect(counts().reads).toBe(2);
});
