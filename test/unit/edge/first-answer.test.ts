import { expect, test } from "vitest";
import { createSpareCalls, firstAnswer } from "../../../src/edge/first-answer.ts";

/** Calls that end when the test says so. */
function calls() {
  const made: { resolve: (answer: Response) => void; reject: (error: Error) => void; signal: AbortSignal }[] =
    [];
  const waiting: (() => void)[] = [];
  return {
    made,
    start(signal: AbortSignal): Promise<Response> {
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      made.push({ resolve, reject, signal });
      for (const wake of waiting.splice(0)) wake();
      return promise;
    },
    async until(count: number) {
      while (made.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      const call = made[count - 1];
      if (call === undefined) throw new Error("it was not made");
      return call;
    },
  };
}

test("an answer in time is the only call's", async () => {
  const made = calls();
  const answer = firstAnswer(made.start, { anotherAfterMs: 60_000, most: 3, spare: createSpareCalls(64) });
  const own = new Response("first");
  (await made.until(1)).resolve(own);
  expect(await answer).toBe(own);
  expect(made.made).toHaveLength(1);
  expect(made.made[0]?.signal.aborted).toBe(false);
});

test("the first answer of several counts, and the others are aborted", async () => {
  const made = calls();
  const answer = firstAnswer(made.start, { anotherAfterMs: 1, most: 3, spare: createSpareCalls(64) });
  const third = await made.until(3);
  const own = new Response("third");
  third.resolve(own);
  expect(await answer).toBe(own);
  expect(made.made.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
});

test("a call that fails leaves the answer to those that are under way", async () => {
  const made = calls();
  const answer = firstAnswer(made.start, { anotherAfterMs: 1, most: 2, spare: createSpareCalls(64) });
  const second = await made.until(2);
  made.made[0]?.reject(new Error("cut"));
  const own = new Response("second");
  second.resolve(own);
  expect(await answer).toBe(own);
});

test("it fails when no call is left", async () => {
  const made = calls();
  const answer = firstAnswer(made.start, { anotherAfterMs: 60_000, most: 3, spare: createSpareCalls(64) });
  (await made.until(1)).reject(new Error("refused"));
  await expect(answer).rejects.toThrow("refused");
});

test("when the spare calls are taken, it waits with its own", async () => {
  const made = calls();
  const spare = createSpareCalls(1);
  const options = { anotherAfterMs: 1, most: 2, spare };
  expect(spare.take()).toBe(true);
  const answer = firstAnswer(made.start, options);
  const others = firstAnswer(made.start, { ...options, anotherAfterMs: 60_000 });
  await made.until(2);
  spare.giveBack();
  const own = new Response("third");
  (await made.until(3)).resolve(own);
  expect(await answer).toBe(own);
  made.made[1]?.resolve(new Response());
  await others;
  // What was taken for the third call is there again.
  expect(spare.take()).toBe(true);
});
