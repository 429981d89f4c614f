import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AnswerNotices } from "../../../src/node/answer-notices.ts";

function notices() {
  let told = 0;
  const all = new AnswerNotices(() => told++);
  return { told: () => told, answered: () => all.answered() };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A handler that computes for so long, in this turn. */
function compute(ms: number): void {
  vi.advanceTimersByTime(ms);
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

test("the answers of a turn are told once, at its end", async () => {
  const { told, answered } = notices();
  for (let turns = 1; turns <= 3; turns++) {
    answered();
    answered();
    expect(told()).toBe(turns - 1);
    await turn();
    expect(told()).toBe(turns);
  }
});

test("in a slow turn, and in the one after it, each is told at once", async () => {
  const { told, answered } = notices();
  answered();
  compute(10);
  answered();
  expect(told()).toBe(1);
  await turn();
  answered();
  expect(told()).toBe(3);
  await turn();
  answered();
  expect(told()).toBe(4);
  await turn();
  expect(told()).toBe(5);
});
