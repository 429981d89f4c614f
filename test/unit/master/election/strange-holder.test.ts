import { afterEach, beforeEach, expect, test } from "vitest";
import { StrangeHolder } from "../../../../src/master/election/strange-holder.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { openTestStore } from "../../../fixtures/master-context.ts";
import { MemoryLock } from "../../../fixtures/memory-lock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";

let opened: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

function start() {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const stranger = new StrangeHolder({ lock: new MemoryLock(), store: opened.store, clock, logger });
  return { clock, logger, stranger, levels: () => logger.lines.map(({ level }) => level) };
}

test("is told once, after a while, for how long, and when it is over", async () => {
  const { clock, stranger, levels } = start();
  await stranger.look("x".repeat(1_000));
  clock.move(2_999);
  await stranger.look("x".repeat(1_000));
  expect(stranger.told).toBeNull();
  for (const ms of [1, 9_000]) {
    clock.move(ms);
    await stranger.look("x".repeat(1_000));
  }
  expect(stranger.told).toMatch(
    /is held by "x{64}", which is no node of this cluster, for 12 s; .*DEL cluster there$/,
  );
  stranger.isOver();
  stranger.isOver();
  expect([stranger.told, levels()]).toEqual([null, ["error", "info"]]);
});

test("is not logged a second time where the log tells of another cluster's master already", async () => {
  const { clock, stranger, levels } = start();
  await stranger.look("another's", true);
  clock.move(3_000);
  await stranger.look("another's", true);
  expect(stranger.told).toContain(`"another's"`);
  expect(levels()).toEqual([]);
});
