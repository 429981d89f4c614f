import { expect, test } from "vitest";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { Scheduler } from "../../../../src/master/dispatch/scheduler.ts";
import { Turn } from "../../../../src/master/memory/turn.ts";
import { NOW, recordOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";

const AHEAD_MS = 20;

/** What is prepared is left there: placing is another's work. */
function start(...dueInMs: number[]) {
  const clock = new ManualClock();
  const queues = new Queues();
  const ticks: number[] = [];
  const turn = new Turn(clock);
  const dispatcher = { tick: () => ticks.push(clock.monotonic()) };
  const scheduler = new Scheduler(masterContext({ clock }), { queues, dispatcher, turn });
  let id = 0;
  const wait = (ms: number) => queues.wait(recordOf({ id: ++id, at: NOW + ms }), true);
  for (const ms of dueInMs) wait(ms);
  return { clock, queues, scheduler, turn, ticks, wait };
}

test("a job is moved to prepared a moment before it is due, and given out then", () => {
  const { clock, queues, scheduler, ticks } = start(1_000, 5_000);
  scheduler.changeJob();
  clock.move(1_000 - AHEAD_MS - 1);
  expect(queues.counts()).toMatchObject({ waiting: 2, prepared: 0 });
  clock.move(1);
  expect(queues.counts()).toMatchObject({ waiting: 1, prepared: 1 });
  clock.move(10_000);
  expect(ticks).toEqual([0, 1_000 - AHEAD_MS, 5_000 - AHEAD_MS]);
});

test("nothing is polled: with no job that waits, no timer is armed", () => {
  const { clock, scheduler } = start();
  scheduler.changeJob();
  expect(clock.isAwaited).toBe(false);
});

test("a job that is placed before the first one is moved at its own time", () => {
  const { clock, scheduler, turn, ticks, wait } = start(60_000);
  scheduler.changeJob();
  wait(1_000);
  turn.ask();
  clock.move(2_000);
  expect(ticks).toEqual([0, 0, 1_000 - AHEAD_MS]);
});

test("many that ask for one make one turn", () => {
  const { clock, turn, ticks } = start();
  for (let times = 0; times < 100; times++) turn.ask();
  clock.move(0);
  expect(ticks).toEqual([0]);
});

test("a thousand are moved in one go, and the rest in turns of their own", () => {
  const { clock, queues, scheduler, ticks } = start(...Array.from({ length: 2_500 }, () => 0));
  scheduler.changeJob();
  expect(queues.counts().prepared).toBe(1_000);
  clock.move(0);
  expect(queues.counts().prepared).toBe(2_500);
  expect(ticks).toHaveLength(3);
});

test("once stopped, it does nothing more", () => {
  const { clock, scheduler, turn, ticks } = start(1_000);
  scheduler.changeJob();
  turn.ask();
  scheduler.stop();
  turn.ask();
  clock.move(10_000);
  expect(ticks).toEqual([0]);
});
