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
  answers.failed(true, "it is read-only");
  expect(answers.silence()).toEqual({ who: "Redis", how: "errors", ms: 100, why: "it is read-only" });
  answers.failed(false);
  expect(answers.silence()).toEqual({ who: "Redis", how: "silent", ms: 100 });
  answers.failed(true, "it is read-only");
  answers.answered();
  expect(answers.silence()).toEqual({ who: "Redis", how: "silent", ms: 0 });
});

test("what is refused counts, whatever else is answered, until it is granted or nobody asks for it any more", () => {
  const { clock, answers } = answersOf("Redis");
  const refused = (ms: number) => ({ who: "Redis", how: "refused", ms, why: "NOPERM" });
  answers.refused("EVAL", "NOPERM");
  clock.move(500);
  answers.answered();
  answers.refused("EVAL", "NOPERM");
  answers.granted("GET");
  expect(answers.silence()).toEqual(refused(500));
  answers.granted("EVAL");
  expect(answers.silence()).toEqual({ who: "Redis", how: "silent", ms: 0 });
  answers.refused("EVAL", "NOPERM");
  clock.move(29_999);
  answers.answered();
  expect(answers.silence()).toEqual(refused(29_999));
  clock.move(1);
  expect(answers.silence().how).toBe("silent");
});
