import { describe, expect, test } from "vitest";
import { Turn } from "../../../../src/master/memory/turn.ts";

function turnByHand() {
  const timers: (() => void)[] = [];
  const after = (_ms: number, fire: () => void) => {
    timers.push(fire);
    return () => {};
  };
  const turn = new Turn({ now: () => 0, monotonic: () => 0, after });
  let taken = 0;
  turn.onTurn(() => taken++);
  return { turn, taken: () => taken, fire: () => timers.splice(0).forEach((timer) => timer()) };
}

describe("the master's next turn", () => {
  test("is one for all who ask before it is taken", () => {
    const { turn, taken, fire } = turnByHand();
    turn.ask();
    turn.ask();
    expect(taken()).toBe(0);
    fire();
    expect(taken()).toBe(1);
  });

  test("comes again for whoever asks after it was taken", () => {
    const { turn, taken, fire } = turnByHand();
    turn.ask();
    fire();
    turn.ask();
    fire();
    expect(taken()).toBe(2);
  });

  test("is not taken after the end, even if it was asked for before", () => {
    const { turn, taken, fire } = turnByHand();
    turn.ask();
    turn.stop();
    fire();
    turn.ask();
    fire();
    expect(taken()).toBe(0);
  });
});
