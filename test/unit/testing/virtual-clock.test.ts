import { describe, expect, test } from "vitest";
import { VirtualTime } from "../../../src/testing/virtual-clock.ts";

/** Notes when each thing that it is given happens. */
function noting(time: VirtualTime) {
  const notes: [string, number][] = [];
  return { notes, note: (what: string) => () => void notes.push([what, time.now]) };
}

/** Looks every 100 ms, for ever. */
function looking(time: VirtualTime, look: () => void): void {
  time.afterAtLeast(100, () => {
    look();
    looking(time, look);
  });
}

test("events happen in the order of their times, and then of their making", async () => {
  const time = new VirtualTime();
  const { notes, note } = noting(time);
  time.after(20, note("third"));
  time.after(10, note("first"));
  time.after(10, note("second"));
  time.after(15, note("never"))();
  await time.advance(100);
  expect(notes).toEqual([
    ["first", 10],
    ["second", 10],
    ["third", 20],
  ]);
  expect(time.now).toBe(100);
});

test("a look waits for the next event, however late that is", async () => {
  const time = new VirtualTime();
  const { notes, note } = noting(time);
  looking(time, note("look"));
  time.after(1_000_000, note("event"));
  await time.advance(2_000_000);
  expect(notes).toEqual([
    ["look", 1_000_000],
    ["event", 1_000_000],
  ]);
});

describe("in time that has quiet stretches", () => {
  const quiet = { afterMs: 300, latestMs: 60_000 };

  test("looks are on time after an event, and rare when nothing happens", async () => {
    const time = new VirtualTime(0, { quiet });
    const { notes, note } = noting(time);
    time.after(1000, () => {});
    looking(time, note("look"));
    await time.advance(122_000);
    expect(notes.map(([, at]) => at)).toEqual([1000, 1100, 1200, 1300, 61_400, 121_500]);
  });

  test("heartbeats are on time, and no event; nor is what they bring about at once", async () => {
    const time = new VirtualTime(0, { quiet });
    const { notes, note } = noting(time);
    time.afterQuietly(1000, () => void time.after(0, note("answer")));
    looking(time, note("look"));
    await time.advance(2000);
    expect(notes).toEqual([["answer", 1000]]);
  });

  test("what they bring about later is one", async () => {
    const time = new VirtualTime(0, { quiet });
    const { notes, note } = noting(time);
    time.afterQuietly(1000, () => void time.after(1, note("event")));
    looking(time, note("look"));
    await time.advance(1100);
    expect(notes).toEqual([
      ["look", 1001],
      ["event", 1001],
    ]);
  });
});

test("events are at whole milliseconds where that is asked for, and never early", async () => {
  const time = new VirtualTime(0, { isInWholeMs: true });
  const { notes, note } = noting(time);
  time.after(0.2, note("event"));
  await time.advance(10);
  expect(notes).toEqual([["event", 1]]);
});
