import { expect, test } from "vitest";
import { Answers } from "../../../../src/core/readiness/answers.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";

function answersOf(who: string) {
  const clock = new ManualClock();
  return { clock, answers: new Answers(who, () => clock.monotonic()) };
}

test("counts from when it began to wait, then from the last answer, whatever has failed since", () => {
  const { clock, answers } = answersOf("MySQL");
  clock.move(1_200);
  expect(answers.silence()).toEqual({ who: "MySQL", how: "silent", ms: 1_200 });
  answers.answered();
  clock.move(300);
  answers.failed(false);
  clock.move(400);
  expect(answers.silence()).toEqual({ who: "MySQL", how: "silent", ms: 700 });
});

test("tells one that answers with errors from one of which nothing is heard, by what came last", () => {
  const { clock, answers } = answersOf("Redis");
  clock.move(100);
  answers.failed(true);
  expect(answers.silence()).toEqual({ who: "Redis", how: "errors", ms: 100 });
  answers.failed(false);
  expect(answers.silence().how).toBe("silent");
  answers.failed(true);
  answers.answered();
  expect(answers.silence()).toEqual({ who: "Redis", how: "silent", ms: 0 });
});
