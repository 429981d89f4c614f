import { expect, test } from "vitest";
import { HeardMaster } from "../../../src/node/heard-master.ts";
import { ManualClock } from "../../fixtures/manual-clock.ts";

const MASTER = { address: "10.0.0.3:7070", nodeId: "c", incarnation: "c1", epoch: 7, cluster: "" };

test("counts from when the node turned to a master, then from what it says, and over reconnects", () => {
  const clock = new ManualClock();
  const heard = new HeardMaster(clock);
  clock.move(500);
  heard.turnTo(MASTER);
  clock.move(700);
  expect(heard.of(MASTER)).toEqual({ heardMsAgo: 700, told: null });
  heard.heard();
  clock.move(300);
  heard.turnTo(MASTER);
  expect(heard.of(MASTER).heardMsAgo).toBe(300);
});

test("what the master waits for goes on while it says nothing else, until it says that it is ready", () => {
  const clock = new ManualClock();
  const heard = new HeardMaster(clock);
  heard.turnTo(MASTER);
  heard.standing({ who: "MySQL", how: "errors", ms: 2_100 });
  clock.move(900);
  expect(heard.of(MASTER).told).toEqual({ who: "MySQL", how: "errors", ms: 3_000 });
  heard.standing(null);
  expect(heard.of(MASTER).told).toBeNull();
});

test("knows nothing of another master, nor of the same process in another epoch", () => {
  const clock = new ManualClock();
  const heard = new HeardMaster(clock);
  heard.turnTo(MASTER);
  heard.standing({ who: "MySQL", how: "silent", ms: 2_100 });
  const next = { ...MASTER, epoch: 8 };
  expect(heard.of(next)).toEqual({ heardMsAgo: null, told: null });
  clock.move(4_000);
  heard.turnTo(next);
  expect(heard.of(next)).toEqual({ heardMsAgo: 0, told: null });
});
